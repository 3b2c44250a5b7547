#include "base/metrics.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace kruise::base {
namespace {

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

void append_escaped(std::string& out, std::string_view text, bool quote) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quote) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

/// `a="1",b="2"`, without the braces.
std::string label_text(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!text.empty()) text += ',';
    text += name;
    text += "=\"";
    append_escaped(text, value, true);
    text += '"';
  }
  return text;
}

void append_sample(std::string& out, std::string_view name, std::string_view labels, double value) {
  out += name;
  if (!labels.empty()) {
    out += '{';
    out += labels;
    out += '}';
  }
  out += ' ';
  out += number(value);
  out += '\n';
}

std::string with_bound(std::string_view labels, double bound) {
  std::string text(labels);
  if (!text.empty()) text += ',';
  return text + "le=\"" + number(bound) + "\"";
}

}  // namespace

void Histogram::observe(double value) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<double> exponential_bounds(double start, double factor, int count) {
  std::vector<double> bounds;
  for (double bound = start; static_cast<int>(bounds.size()) < count; bound *= factor) bounds.push_back(bound);
  return bounds;
}

Metrics::Series& Metrics::series(std::string_view name, std::string_view help, Type type, const Labels& labels) {
  auto family = families_.find(name);
  if (family == families_.end()) family = families_.emplace(name, Family{type, std::string(help), {}}).first;
  if (family->second.type != type) {
    std::fprintf(stderr, "metric %.*s is used with two types\n", static_cast<int>(name.size()), name.data());
    std::abort();
  }
  auto& all = family->second.series;
  std::string key = label_text(labels);
  auto found = all.find(key);
  if (found == all.end() && all.size() >= kSeriesMax) {
    Labels other = labels;
    for (auto& [label, value] : other) value = "other";
    key = label_text(other);
    found = all.find(key);
    if (found == all.end()) found = all.emplace(key, Series{}).first;
    found->second.labels = other;
  } else if (found == all.end()) {
    found = all.emplace(key, Series{}).first;
    found->second.labels = labels;
  }
  found->second.removed = false;
  return found->second;
}

Counter& Metrics::counter(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& s = series(name, help, Type::kCounter, labels);
  if (!s.counter) s.counter = std::make_unique<Counter>();
  return *s.counter;
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& s = series(name, help, Type::kGauge, labels);
  if (!s.gauge) s.gauge = std::make_unique<Gauge>();
  return *s.gauge;
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                              const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& s = series(name, help, Type::kHistogram, labels);
  if (!s.histogram) s.histogram = std::make_unique<Histogram>(bounds);
  return *s.histogram;
}

void Metrics::gauge_function(std::string_view name, std::string_view help, const Labels& labels, std::function<double()> value) {
  const std::lock_guard lock(mutex_);
  series(name, help, Type::kGauge, labels).function = std::move(value);
}

void Metrics::counter_function(std::string_view name, std::string_view help, const Labels& labels,
                               std::function<double()> value) {
  const std::lock_guard lock(mutex_);
  series(name, help, Type::kCounter, labels).function = std::move(value);
}

void Metrics::remove_series(std::string_view name, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  const auto family = families_.find(name);
  if (family == families_.end()) return;
  const auto found = family->second.series.find(label_text(labels));
  if (found == family->second.series.end()) return;
  found->second.removed = true;
  found->second.function = nullptr;
}

std::string Metrics::text() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    std::string samples;
    for (const auto& [labels, s] : family.series) {
      if (s.removed) continue;
      if (s.function) {
        append_sample(samples, name, labels, s.function());
      } else if (s.counter) {
        append_sample(samples, name, labels, s.counter->value());
      } else if (s.gauge) {
        append_sample(samples, name, labels, s.gauge->value());
      }
      if (s.histogram) {
        const auto& h = *s.histogram;
        std::uint64_t total = 0;
        for (std::size_t i = 0; i < h.counts_.size(); ++i) {
          total += h.counts_[i].load(std::memory_order_relaxed);
          const double bound = i < h.bounds_.size() ? h.bounds_[i] : HUGE_VAL;
          append_sample(samples, name + "_bucket", with_bound(labels, bound), static_cast<double>(total));
        }
        append_sample(samples, name + "_sum", labels, h.sum_.load(std::memory_order_relaxed));
        append_sample(samples, name + "_count", labels, static_cast<double>(total));
      }
    }
    if (samples.empty()) continue;
    out += "# HELP " + name + " ";
    append_escaped(out, family.help, false);
    constexpr std::array<std::string_view, 3> kTypes{"counter", "gauge", "histogram"};
    out += "\n# TYPE " + name + " ";
    out += kTypes.at(static_cast<std::size_t>(family.type));
    out += '\n';
    out += samples;
  }
  return out;
}

}  // namespace kruise::base
