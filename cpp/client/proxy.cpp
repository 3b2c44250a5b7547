#include "client/proxy.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <string_view>

namespace kruise::client {
namespace {

/// An IPv4 address is held as Go does, mapped into IPv6.
struct Address {
  std::array<unsigned char, 16> bytes{};
  bool v4 = false;
  bool operator==(const Address&) const = default;
};

std::optional<Address> parse_address(std::string_view text) {
  const std::string terminated(text);
  Address address;
  if (inet_pton(AF_INET, terminated.c_str(), &address.bytes[12]) == 1) {
    address.bytes[10] = address.bytes[11] = 0xFF;
    address.v4 = true;
    return address;
  }
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) != 1) return std::nullopt;
  constexpr std::array<unsigned char, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  address.v4 = std::ranges::equal(kMapped, std::span(address.bytes).first(kMapped.size()));
  return address;
}

bool loops_back(const Address& address) {
  if (address.v4) return address.bytes[12] == 127;
  return address == parse_address("::1");
}

/// Whether `address` is in the network that `text` ("10.0.0.0/8") names; absent when it names none.
std::optional<bool> in_network(std::string_view text, const std::optional<Address>& address) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto network = parse_address(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (!network || read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return std::nullopt;
  if (bits > (network->v4 ? 32U : 128U)) return std::nullopt;
  if (!address || address->v4 != network->v4) return false;
  if (network->v4) bits += 96;
  for (std::size_t i = 0; i < 16 && bits > 0; ++i) {
    const unsigned here = std::min(bits, 8U);
    const auto mask = static_cast<unsigned char>(0xFF00U >> here);
    if (((network->bytes[i] ^ address->bytes[i]) & mask) != 0) return false;
    bits -= here;
  }
  return true;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

struct HostPort {
  std::string host;  // without brackets, in small letters
  std::string port;  // may be empty
};

/// "h", "h:1", "[::1]:1", "[::1]"; an IPv6 address without brackets has no port.
HostPort split_host(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = std::min(text.find(']'), text.size() - 1);
    const std::string_view rest = text.substr(end + 1);
    return {lower(text.substr(1, end - 1)), std::string(rest.starts_with(':') ? rest.substr(1) : "")};
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) return {lower(text), ""};
  return {lower(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

/// What stands between the scheme and the path, without user and password.
std::string_view authority_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  const std::size_t user = url.rfind('@');
  return user == std::string_view::npos ? url : url.substr(user + 1);
}

bool entry_matches(std::string_view entry, const HostPort& server, const std::optional<Address>& address) {
  if (entry == "*") return true;
  if (const auto inside = in_network(entry, address)) return *inside;
  const HostPort named = split_host(entry);
  if (!named.port.empty() && named.port != server.port) return false;
  if (const auto exact = parse_address(named.host)) return address && *address == *exact;
  std::string_view host = named.host;
  if (host.starts_with("*.")) host.remove_prefix(1);
  if (host.empty()) return false;
  if (host.front() == '.') return server.host.ends_with(host);
  return server.host == host || server.host.ends_with("." + std::string(host));
}

bool goes_direct(const HostPort& server, std::string_view no_proxy) {
  if (server.host == "localhost") return true;
  const auto address = parse_address(server.host);
  if (address && loops_back(*address)) return true;
  while (!no_proxy.empty()) {
    const std::size_t comma = std::min(no_proxy.find(','), no_proxy.size());
    const std::string entry = lower(trimmed(no_proxy.substr(0, comma)));
    if (!entry.empty() && entry_matches(entry, server, address)) return true;
    no_proxy.remove_prefix(std::min(comma + 1, no_proxy.size()));
  }
  return false;
}

}  // namespace

std::string proxy_problem(const std::string& url) {
  const std::string scheme = lower(std::string_view(url).substr(0, url.find("://")));
  const bool known = url.find("://") != std::string::npos && (scheme == "http" || scheme == "https" || scheme == "socks5");
  if (!known) return "is no http, https or socks5 URL";
  return authority_of(url).empty() ? "has no host" : "";
}

std::string proxy_host(const std::string& url) { return std::string(authority_of(url)); }

base::Result<std::string, ConfigError> proxy_of_environment(const std::string& server, const base::Environment& environment) {
  const bool tls = server.starts_with("https://");
  std::string name;
  const auto first_set = [&](std::initializer_list<const char*> names) {
    for (const char* one : names) {
      name = one;
      if (auto value = environment(one); value && !value->empty()) return *value;
    }
    return std::string();
  };
  HostPort target = split_host(authority_of(server));
  if (target.port.empty()) target.port = tls ? "443" : "80";
  if (goes_direct(target, first_set({"NO_PROXY", "no_proxy"}))) return std::string();
  std::string proxy = tls ? first_set({"HTTPS_PROXY", "https_proxy"}) : first_set({"HTTP_PROXY", "http_proxy"});
  if (proxy.empty()) return proxy;
  if (proxy.find("://") == std::string::npos) proxy = "http://" + proxy;
  if (const std::string problem = proxy_problem(proxy); !problem.empty())
    return ConfigError{"the variable " + name + " " + problem};
  return proxy;
}

}  // namespace kruise::client
