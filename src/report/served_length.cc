#include "report/served_length.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

namespace hap::report {
namespace {

constexpr std::uint64_t kLeastArrival = 3;  // fewer functions at once are chance, not a timer
constexpr std::size_t kNames = 4;

template <typename T>
std::optional<T> number(const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct FirstSeen {
  std::string name;
  std::uint32_t window;
  bool deferred;  // in deferred work, and in that window in nothing else
  bool known;     // not that, but in interrupts on top of its threads in an earlier window
};

using FirstWindows = std::map<uint32_t, std::uint32_t>;  // by function

template <typename Accounts>
FirstWindows first_windows(const Profile& profile, Accounts accounts) {
  FirstWindows first;
  profile.for_each_function_windows(
      profile.select(accounts),
      [&](uint32_t id, std::span<const uint32_t> windows) { first[id] = windows.front(); });
  return first;
}

std::vector<FirstSeen> first_seen(const Profile& profile) {
  const auto by_the_sandbox = first_windows(profile, [](const Account& account) {
    return counts_as_hap(account) && account.context != Context::kthread;
  });
  const auto in_interrupts = first_windows(profile, [](const Account& account) {
    return account.standing == Standing::softirq || account.standing == Standing::interrupt;
  });
  std::vector<FirstSeen> functions;
  const auto hap = profile.select([](const Account& account) { return counts_as_hap(account); });
  profile.for_each_function_windows(hap, [&](uint32_t id, std::span<const uint32_t> windows) {
    const auto direct = by_the_sandbox.find(id);
    const auto interrupt = in_interrupts.find(id);
    const bool deferred = direct == by_the_sandbox.end() || direct->second > windows.front();
    const bool known = !deferred && interrupt != in_interrupts.end() && interrupt->second < windows.front();
    functions.push_back({profile.functions()[id].name, windows.front(), deferred, known});
  });
  return functions;
}

// What tells a reader most: through which system call the kernel was entered.
bool more_telling(const std::string& a, const std::string& b) {
  const auto rank = [](const std::string& name) { return name.starts_with("__x64_sys_") ? 0 : 1; };
  return rank(a) != rank(b) ? rank(a) < rank(b) : a < b;
}

std::vector<LateArrival> late_arrivals(const std::vector<FirstSeen>& functions,
                                       const std::vector<const Window*>& windows) {
  std::map<std::uint32_t, LateArrival> by_window;
  for (const FirstSeen& function : functions) {
    if (function.window < windows.size() / 3) continue;
    LateArrival& arrival = by_window[function.window];
    arrival.window = function.window + 1;
    arrival.seconds =
        static_cast<double>(windows[function.window]->start_ns - windows.front()->start_ns) / 1e9;
    ++arrival.functions;
    arrival.deferred += function.deferred ? 1 : 0;
    arrival.known += function.known ? 1 : 0;
    arrival.names.push_back(function.name);
  }
  std::vector<LateArrival> late;
  for (auto& [window, arrival] : by_window) {
    if (arrival.functions < kLeastArrival) continue;
    std::sort(arrival.names.begin(), arrival.names.end(), more_telling);
    arrival.names.resize(std::min(arrival.names.size(), kNames));
    late.push_back(std::move(arrival));
  }
  return late;
}

std::string_view what_they_are(const LateArrival& arrival) {
  if (arrival.deferred == arrival.functions) return " of deferred work";
  if (arrival.known == arrival.functions) return " known from interrupts";
  return "";
}

}  // namespace

LengthReport length_of(const Profile& profile) {
  LengthReport length;
  length.until = profile.meta("until");
  length.verdict = profile.meta("steady_verdict");
  length.waiting_for = profile.meta("steady_waiting_for");
  length.windows = number<std::uint32_t>(profile.meta("steady_windows")).value_or(0);
  const auto growth = number<double>(profile.meta("steady_growth"));
  const auto low = number<double>(profile.meta("steady_growth_low"));
  const auto high = number<double>(profile.meta("steady_growth_high"));
  if (growth && low && high) length.foretold = Interval{*growth, *low, *high};

  std::vector<const Window*> windows;
  for (const Window& window : profile.windows()) {
    if (window.phase == Phase::serve) windows.push_back(&window);
  }
  length.all_windows = static_cast<std::uint32_t>(windows.size());
  const auto functions = first_seen(profile);
  if (length.windows > 0 && length.windows < length.all_windows) {
    length.added = 0;
    for (const FirstSeen& function : functions) {
      if (function.window < length.windows) continue;
      ++*length.added;
      length.added_deferred += function.deferred ? 1 : 0;
      length.added_known += function.known ? 1 : 0;
    }
  }
  length.late = late_arrivals(functions, windows);
  return length;
}

std::vector<std::string> sentences(const LengthReport& length) {
  std::vector<std::string> text;
  if (length.verdict == "steady") {
    text.push_back(fmt::format("length: {} windows, until nothing new came", length.windows));
  } else if (length.verdict == "cap") {
    text.push_back(
        fmt::format("length: the most windows ({}) were served without reaching a steady state; "
                    "missing was {}",
                    length.windows, length.waiting_for));
  }
  if (length.foretold && !text.empty()) {
    text.back() +=
        fmt::format("; four times the length was foretold to add {:.0f} functions ({:.0f} to {:.0f})",
                    length.foretold->value, length.foretold->low, length.foretold->high);
  }
  if (length.added && !text.empty()) {
    text.back() += fmt::format("; going on to {} windows added {}", length.all_windows, *length.added);
  }
  if (length.late.empty()) return text;
  std::string late = "came late (a timer slower than the windows, or a rare event): ";
  constexpr std::size_t most = 4;
  for (std::size_t i = 0; i < std::min(most, length.late.size()); ++i) {
    const LateArrival& arrival = length.late[i];
    late += fmt::format("{}{} functions{} after {:.1f} s ({}{})", i == 0 ? "" : "; ", arrival.functions,
                        what_they_are(arrival), arrival.seconds, fmt::join(arrival.names, ", "),
                        arrival.functions > arrival.names.size() ? ", ..." : "");
  }
  if (length.late.size() > most) late += fmt::format("; and {} more times", length.late.size() - most);
  text.push_back(late);
  return text;
}

}  // namespace hap::report
