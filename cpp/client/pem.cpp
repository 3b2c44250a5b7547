#include "client/pem.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <memory>

namespace kruise::client {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Owned<BIO> memory(std::string_view text) { return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

/// No password is ever asked for.
int no_password(char*, int, int, void*) { return 0; }

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

int certificates_in(std::string_view pem) {
  const Owned<BIO> bio = memory(pem);
  int count = 0;
  while (Owned<X509>(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr))) ++count;
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return at_end ? count : 0;
}

std::string key_pair_problem(std::string_view certificate_pem, std::string_view key_pem) {
  const Owned<BIO> certificate_bio = memory(certificate_pem);
  const Owned<X509> certificate(PEM_read_bio_X509(certificate_bio.get(), nullptr, no_password, nullptr));
  const Owned<BIO> key_bio = memory(key_pem);
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_password, nullptr));
  const bool match = certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (!certificate) return "the client certificate holds no PEM certificate";
  if (!key) return "the client key holds no unencrypted PEM key";
  return match ? "" : "the client key does not belong to the client certificate";
}

std::optional<std::string> base64_decode(std::string_view text) {
  std::array<int, 256> value{};
  value.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) value[static_cast<unsigned char>(kAlphabet[i])] = static_cast<int>(i);
  std::string bytes;
  unsigned bits = 0;
  int have = 0;
  std::size_t digits = 0;
  std::size_t padding = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r' || c == ' ') continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const int digit = value[static_cast<unsigned char>(c)];
    if (digit < 0 || padding > 0) return std::nullopt;
    bits = (bits << 6U) | static_cast<unsigned>(digit);
    ++digits;
    have += 6;
    if (have >= 8) {
      have -= 8;
      bytes += static_cast<char>((bits >> static_cast<unsigned>(have)) & 0xFFU);
    }
  }
  if ((digits + padding) % 4 != 0 || padding > 2) return std::nullopt;
  return bytes;
}

std::string base64_encode(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits = (bits << 8U) | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j) {
      text += i + j > bytes.size() ? '=' : kAlphabet[(bits >> (18U - 6U * static_cast<unsigned>(j))) & 63U];
    }
  }
  return text;
}

}  // namespace kruise::client
