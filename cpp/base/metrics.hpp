// Counters, gauges and histograms, and their Prometheus text form.
//
//     base::Metrics metrics;
//     auto& errors = metrics.counter("controller_runtime_reconcile_errors_total", "Failed reconciles.", {{"controller", name}});
//     errors.add();
//     metrics.text();
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kruise::base {

/// Only grows.
class Counter {
 public:
  void add(double amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  [[nodiscard]] double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  [[nodiscard]] double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Histogram {
 public:
  /// Upper bounds, ascending, without the infinite one.
  explicit Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}
  void observe(double value);

 private:
  friend class Metrics;
  std::vector<double> bounds_;
  std::vector<std::atomic<std::uint64_t>> counts_;
  std::atomic<double> sum_{0};
};

/// `count` bounds from `start`, each `factor` times the one before.
[[nodiscard]] std::vector<double> exponential_bounds(double start, double factor, int count);

/// Name and value, in the order of the metric's documentation.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// All metrics of a process. Every call may come from any thread; what is returned lives as long as the registry.
///
/// A metric has at most `kSeriesMax` combinations of label values; further ones are counted together under the value `other`,
/// since some values come from users. Asking for a name again with another type is a mistake of ours and ends the process.
class Metrics {
 public:
  static constexpr std::size_t kSeriesMax = 1000;

  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                       const Labels& labels = {});
  /// Asked when the page is read, on the reader's thread.
  void gauge_function(std::string_view name, std::string_view help, const Labels& labels, std::function<double()> value);
  void counter_function(std::string_view name, std::string_view help, const Labels& labels, std::function<double()> value);
  /// No longer shown; what was returned for it stays valid.
  void remove_series(std::string_view name, const Labels& labels);

  /// The page, metrics and series in order of name, so that two pages can be compared. Text format 0.0.4.
  [[nodiscard]] std::string text() const;

 private:
  enum class Type : std::uint8_t { kCounter, kGauge, kHistogram };
  struct Series {
    Labels labels;
    std::unique_ptr<Counter> counter;
    std::unique_ptr<Gauge> gauge;
    std::unique_ptr<Histogram> histogram;
    std::function<double()> function;
    bool removed = false;
  };
  struct Family {
    Type type = Type::kCounter;
    std::string help;
    std::map<std::string, Series, std::less<>> series;  // by the text of the labels
  };

  Series& series(std::string_view name, std::string_view help, Type, const Labels&);

  mutable std::mutex mutex_;  // guards the map, not the numbers
  std::map<std::string, Family, std::less<>> families_;
};

/// process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes, process_open_fds, process_max_fds,
/// process_start_time_seconds, read when the page is.
void add_process_metrics(Metrics&);

}  // namespace kruise::base
