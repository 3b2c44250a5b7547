// Credentials that change while the client runs: files replaced in place, programs whose credentials expire.
#include "client/credentials.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/log.hpp"
#include "base/thread.hpp"
#include "client/certificates.hpp"
#include "client/raw_server.hpp"
#include "client/recorder.hpp"
#include "client/request.hpp"
#include "client/rest_client.hpp"
#include "client/sync_client.hpp"

namespace kruise::client {
namespace {

using namespace std::chrono_literals;
using test::Connection;
using test::KeyPair;
using test::RawServer;
using test::Recorder;
using testing::HasSubstr;

/// Stands still until it is told to go on. Any thread.
class SetClock final : public base::Clock {
 public:
  [[nodiscard]] base::Time now() const override { return base::Time(elapsed()) + std::chrono::seconds(1'700'000'000); }
  [[nodiscard]] base::MonoTime mono() const override { return base::MonoTime(elapsed()); }
  void advance(base::Duration span) { elapsed_ += span.count(); }

 private:
  [[nodiscard]] base::Duration elapsed() const { return base::Duration(elapsed_.load()); }
  std::atomic<std::int64_t> elapsed_ = 1'000'000'000;
};

// --- files --------------------------------------------------------------------------------------------------------------

class CertificateFiles : public testing::Test {
 protected:
  void put(const KeyPair& pair) {
    dir.write("me.crt", pair.certificate);
    dir.write("me.key", pair.key);
  }
  /// As load_config gives it.
  Config config() {
    put(first);
    Config config;
    config.client_certificate = first.certificate;
    config.client_key = first.key;
    config.client_certificate_file = dir.path("me.crt");
    config.client_key_file = dir.path("me.key");
    return config;
  }
  /// The certificate in use, without the line break that a file may end with.
  static std::string certificate(Credentials& credentials) {
    std::string text = credentials.get().current.certificate;
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text + "\n";
  }

  KeyPair first = test::make_key_pair();
  KeyPair second = test::make_key_pair();
  test::TempDir dir;
  SetClock clock;
  std::vector<std::string> warnings;
  base::log::Capture capture{[this](base::log::Level, std::string_view, const std::string& line) { warnings.push_back(line); }};
};

TEST_F(CertificateFiles, AreReadAgainWhenOld) {
  Credentials credentials(config(), [] {}, clock);
  put(second);
  clock.advance(kCredentialFileAgeMax - 1s);
  EXPECT_EQ(certificate(credentials), first.certificate) << "not at every request";
  clock.advance(1s);
  EXPECT_EQ(certificate(credentials), second.certificate);
  EXPECT_THAT(warnings, testing::IsEmpty());
}

TEST_F(CertificateFiles, AreReadAgainWhenAConnectionFailed) {
  Credentials credentials(config(), [] {}, clock);
  put(second);
  credentials.doubt();
  EXPECT_EQ(certificate(credentials), second.certificate);
}

TEST_F(CertificateFiles, AreUsedOnlyAsAPair) {
  Credentials credentials(config(), [] {}, clock);
  dir.write("me.crt", second.certificate);
  clock.advance(kCredentialFileAgeMax);
  EXPECT_EQ(certificate(credentials), first.certificate);
  clock.advance(kCredentialFileRetryDelay);
  EXPECT_EQ(certificate(credentials), first.certificate);
  ASSERT_EQ(warnings.size(), 1U) << "the same trouble is told once";
  EXPECT_THAT(warnings[0], HasSubstr("does not belong"));
  dir.write("me.key", second.key);
  EXPECT_EQ(certificate(credentials), first.certificate);
  clock.advance(kCredentialFileRetryDelay);
  EXPECT_EQ(certificate(credentials), second.certificate) << "looked for soon after a failure";
}

TEST_F(CertificateFiles, ThatAreGoneLeaveTheLastOnes) {
  Credentials credentials(config(), [] {}, clock);
  std::filesystem::remove(dir.path("me.key"));
  clock.advance(kCredentialFileAgeMax);
  EXPECT_EQ(certificate(credentials), first.certificate);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0], HasSubstr("me.key: No such file"));
}

/// The server knows the new certificate alone; the connection that showed the old one is not used for it.
TEST_F(CertificateFiles, ThatAreReplacedServeNewConnectionsWithoutARestart) {
  std::mutex mutex;
  std::string wanted = first.certificate;
  std::vector<int> codes;
  const KeyPair identity = test::make_key_pair();
  RawServer server(
      [&](Connection& c) {
        while (const auto request = c.receive()) {
          const std::lock_guard lock(mutex);
          codes.push_back(c.peer_certificate() == wanted ? 200 : 401);
          if (codes.back() == 401) {
            c.answer(401, R"({"kind":"Status","reason":"Unauthorized","message":"Unauthorized","code":401})");
          } else if (request->path.find("watch=") == std::string::npos) {
            c.answer(200, "{}");
          } else {
            c.begin_stream();
            c.chunk("{\"n\":1}\n");
          }
        }
      },
      identity);
  Config made = config();
  made.server = server.url();
  made.ca = identity.certificate;
  base::Loop loop("test");
  RestClient client(made, loop);
  const auto call = [&] { return Sync(client).try_call(patch(api::kPods, {"default", "web-1"}, PatchType::kMerge, "{}")); };
  ASSERT_TRUE(call().ok());
  put(second);
  {
    const std::lock_guard lock(mutex);
    wanted = second.certificate;
  }
  const Outcome renewed = call();
  EXPECT_TRUE(renewed.ok()) << renewed.error().text();
  Recorder recorder;
  auto watch = client.watch(client::watch(api::kPods, ""), recorder);
  EXPECT_TRUE(recorder.wait_lines(1));
  loop.run_and_wait([&] { watch.reset(); });
  {
    const std::lock_guard lock(mutex);
    EXPECT_THAT(codes, testing::ElementsAre(200, 401, 200, 200));
    wanted = "somebody else's";
  }
  EXPECT_EQ(call().error().code, 401);
  const std::lock_guard lock(mutex);
  EXPECT_THAT(codes, testing::ElementsAre(200, 401, 200, 200, 401)) << "the same certificate is not tried twice";
}

TEST_F(CertificateFiles, OfATokenAreReadAgainWhenOld) {
  Config config;
  config.token_file = dir.write("token", "one\n");
  Credentials credentials(config, [] {}, clock);
  EXPECT_EQ(credentials.get().current.authorization, "Bearer one");
  dir.write("token", "two\n");
  clock.advance(kCredentialFileAgeMax - 1s);
  EXPECT_EQ(credentials.get().current.authorization, "Bearer one");
  clock.advance(1s);
  EXPECT_EQ(credentials.get().current.authorization, "Bearer two");
  dir.write("token", "");
  clock.advance(kCredentialFileAgeMax);
  EXPECT_EQ(credentials.get().current.authorization, "Bearer two");
  EXPECT_THAT(warnings, testing::ElementsAre(HasSubstr("is empty")));
}

// --- programs -------------------------------------------------------------------------------------------------------------

class ExpiringProgram : public testing::Test {
 protected:
  /// A program whose n-th run gives the token "t<n>", which expires at `expires`.
  Config config(const std::string& expires) {
    dir.write("count", "");
    Config config;
    config.exec.emplace();
    config.exec->api_version = "client.authentication.k8s.io/v1";
    config.exec->command = dir.write(
        "helper",
        "#!/bin/sh\necho x >> " + dir.path("count") + "\nn=$(wc -l < " + dir.path("count") +
            ")\necho "
            "'{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"t'$n'\","
            "\"expirationTimestamp\":\"" +
            expires + "\"}}'\n",
        true);
    return config;
  }
  /// Asks until there is an answer.
  Credentials::State get(Credentials& credentials) {
    for (;;) {
      const Credentials::State state = credentials.get();
      if (state.kind != Credentials::State::Kind::kPending) return state;
      EXPECT_TRUE(woken.wait_for(20s));
    }
  }
  std::string token(Credentials& credentials) { return get(credentials).current.authorization; }
  [[nodiscard]] std::string in(base::Duration span) const { return base::format_time(clock.now() + span); }

  test::TempDir dir;
  SetClock clock;
  struct Woken {
    std::mutex mutex;
    std::condition_variable changed;
    bool rung = false;
    void ring() {
      const std::lock_guard lock(mutex);
      rung = true;
      changed.notify_all();
    }
    bool wait_for(base::Duration span) {
      std::unique_lock lock(mutex);
      return changed.wait_for(lock, span, [this] { return std::exchange(rung, false); });
    }
  } woken;
};

TEST_F(ExpiringProgram, RunsAgainWhenItsCredentialExpires) {
  Credentials credentials(config(in(1h)), [this] { woken.ring(); }, clock);
  EXPECT_EQ(token(credentials), "Bearer t1");
  clock.advance(1h - 1s);
  EXPECT_EQ(token(credentials), "Bearer t1");
  clock.advance(1s);
  EXPECT_EQ(token(credentials), "Bearer t2");
  EXPECT_EQ(dir.read("count"), "x\nx\n");
}

/// By this machine's clock, which may be wrong: it is used, and the program does not run all the time.
TEST_F(ExpiringProgram, ACredentialThatCameExpiredIsUsedForAWhile) {
  Credentials credentials(config(in(-1h)), [this] { woken.ring(); }, clock);
  EXPECT_EQ(token(credentials), "Bearer t1");
  EXPECT_EQ(token(credentials), "Bearer t1");
  clock.advance(kExecRetryDelay);
  EXPECT_EQ(token(credentials), "Bearer t2");
}

TEST_F(ExpiringProgram, ARefusalRenewsTheCredentialThatWasRefusedOnce) {
  Credentials credentials(config(in(1h)), [this] { woken.ring(); }, clock);
  const Credentials::Current used = get(credentials).current;
  EXPECT_TRUE(credentials.refused(used));
  EXPECT_TRUE(credentials.refused(used)) << "of another request with the same one";
  EXPECT_EQ(token(credentials), "Bearer t2");
  EXPECT_TRUE(credentials.refused(used)) << "an answer that came late";
  EXPECT_EQ(token(credentials), "Bearer t2");
  EXPECT_EQ(dir.read("count"), "x\nx\n");
}

}  // namespace
}  // namespace kruise::client
