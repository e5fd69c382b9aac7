// What tracing a redis-server costs: instructions per request, counted by the emulator, so free of the host's
// noise; and requests per second of the machine's own clock.
//
//   live_overhead [--windows N] [--icount VALUE] [METHOD...]
//
// METHOD: "hap bpf", "hap ftrace", trace-cmd, function_graph, bpftrace, attach; all of them by default.
//
// Each method runs in a machine of its own from the same checkpoint, beside an untraced one. hap records with
// its default window length, over at least N windows (10), arming and taking off included; the others have
// one round of 1,000 requests. The machine's clock is tied to executed instructions: with shift=2 one
// instruction takes 4 ns, so a window holds a quarter of the work it would at 1,000 million instructions per
// second, and what is paid by the window weighs four times as much.
//
// Prints the table, and what attaching costs against a bare link for the same addresses. Exit 1 when an aim
// is not met.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>

#include "lab/live_machine.h"
#include "live_methods.h"

namespace {

using namespace hap;

constexpr int requests_per_round = 1000;
constexpr double attach_aim = 1.2;

struct Options {
  int windows = 10;
  std::string icount = "shift=2,sleep=off";
  std::vector<std::string> methods;
};

struct Cost {
  double instructions = 0;  // per request
  double rate = 0;          // requests per second
  uint64_t requests = 0;
  std::string losses;
};

// Instructions executed up to each mark, by the mark's argument.
Result<std::map<uint64_t, uint64_t>> read_counts(const std::string& path) {
  HAP_TRY(text, read_file(path));
  std::map<uint64_t, uint64_t> counts;
  std::istringstream lines(text);
  for (uint64_t kind = 0, argument = 0, count = 0; lines >> kind >> argument >> count;) {
    counts[argument] = count;
  }
  return counts;
}

std::string script_of(const bench::Method& method) {
  const std::string load =
      "redis-benchmark -p 7777 -c 1 -n " + std::to_string(requests_per_round) + " -t set -q > /dev/null";
  return "set -e\n"
         "setsid redis-server --port 7777 --save '' --daemonize no > /run/redis.log 2>&1 &\n"
         "for i in $(seq 200); do redis-cli -p 7777 ping 2>/dev/null | grep -q PONG && break; sleep 0.1; "
         "done\n"
         "pid=$(pidof redis-server)\n" +
         load + "\n" + method.start +
         "\nbegin=$(date +%s%N); mark 6 1\n"
         "chunks=0; until " +
         method.enough + "; do " + load + "; chunks=$((chunks + 1)); done\n" +
         "mark 6 2; end=$(date +%s%N)\n" + method.stop + "\necho $chunks $((end - begin))\n" + method.losses;
}

class Bench {
 public:
  explicit Bench(const Options& options) { spec_.icount = options.icount; }

  Result<Cost> run(const bench::Method& method) {
    HAP_TRY(started, start());
    auto& machine = *started.machine;
    HAP_CHECK(machine.install_hap());
    HAP_TRY(ran, machine.shell(script_of(method), std::chrono::hours(2)));
    if (ran.status != 0) return Error(method.name + ": " + ran.out + ran.err);
    HAP_CHECK(machine.quit());
    HAP_TRY(counts, read_counts(started.folder.file("counts")));
    std::istringstream out(ran.out);
    double chunks = 0;
    double nanoseconds = 0;
    Cost cost;
    out >> chunks >> nanoseconds >> std::ws;
    std::getline(out, cost.losses);
    cost.requests = static_cast<uint64_t>(chunks) * requests_per_round;
    if (cost.requests == 0) return Error(method.name + ": no load: " + ran.out + ran.err);
    cost.instructions = static_cast<double>(counts[2] - counts[1]) / static_cast<double>(cost.requests);
    cost.rate = static_cast<double>(cost.requests) / nanoseconds * 1e9;
    return cost;
  }

  // Prints what attaching costs; the ratio to a bare link.
  Result<double> attaching() {
    HAP_TRY(started, start());
    auto& machine = *started.machine;
    HAP_CHECK(machine.install(HAP_BINARY_DIR "/bench/live_attach"));
    HAP_TRY(ran, machine.shell("live_attach"));
    if (ran.status != 0) return Error(ran.out + ran.err);
    HAP_CHECK(machine.quit());
    HAP_TRY(counts, read_counts(started.folder.file("counts")));
    const auto between = [&](uint64_t first) {
      return static_cast<double>(counts[first + 1] - counts[first]) / 1e6;
    };
    const double bare = std::min(between(10), between(14));
    const double collector = std::min(between(12), between(16));
    std::printf(
        "attaching to %d functions, million instructions: a bare link %.0f, the bpf collector %.0f, ratio "
        "%.2f (aim %.2f)\n",
        std::atoi(ran.out.c_str()), bare, collector, collector / bare, attach_aim);
    std::printf(
        "  (twice each: %.0f and %.0f, %.0f and %.0f; the collector's whole start, with finding out what "
        "there is, %.0f)\n",
        between(10), between(14), between(12), between(16), between(30));
    return collector / bare;
  }

 private:
  struct Started {
    TempDir folder;
    std::unique_ptr<testing::LiveMachine> machine;
  };
  Result<Started> start() {
    HAP_TRY(folder, TempDir::create());
    const std::string plugin = HAP_COUNT_PLUGIN ",out=" + folder.file("counts");
    HAP_TRY(machine, testing::LiveMachine::start(spec_, plugin));
    HAP_TRY(mark, read_file(HAP_MARK_PROGRAM));
    HAP_CHECK(machine->put("/run/mark", mark, 0755));
    return Started{std::move(folder), std::move(machine)};
  }

  lab::LabSpec spec_;
};

Result<bool> compare(const Options& options) {
  Bench bench(options);
  bool met = true;
  double untraced = 0;
  double untraced_rate = 0;
  const auto wanted = [&](const std::string& name) {
    return options.methods.empty() ||
           std::find(options.methods.begin(), options.methods.end(), name) != options.methods.end();
  };
  std::printf("clock: icount %s; hap with its default window length, at least %d windows\n",
              options.icount.c_str(), options.windows);
  std::printf("%-15s %9s %20s %7s %5s %10s %7s  %s\n", "method", "requests", "instructions/request", "ratio",
              "aim", "requests/s", "ratio", "lost");
  for (const auto& method : bench::live_methods(options.windows)) {
    if (method.name != "untraced" && !wanted(method.name)) continue;
    const auto cost = bench.run(method);
    if (!cost && method.aim != 0) return cost.error();
    if (!cost) {  // somebody else's tracer: a line of the table all the same
      std::printf("%-15s failed: %s\n", method.name.c_str(), cost.error().to_string().c_str());
      continue;
    }
    if (method.name == "untraced") {
      untraced = cost->instructions;
      untraced_rate = cost->rate;
    }
    const double ratio = cost->instructions / untraced;
    if (method.aim != 0 && ratio > method.aim) met = false;
    char aim[16] = "-";
    if (method.aim != 0) std::snprintf(aim, sizeof aim, "%.2f", method.aim);
    std::printf("%-15s %9llu %20.0f %7.3f %5s %10.0f %7.3f  %s\n", method.name.c_str(),
                static_cast<unsigned long long>(cost->requests), cost->instructions, ratio, aim, cost->rate,
                cost->rate / untraced_rate, cost->losses.c_str());
    std::fflush(stdout);
  }
  if (wanted("attach")) {
    HAP_TRY(ratio, bench.attaching());
    if (ratio > attach_aim) met = false;
  }
  return met;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--windows" && i + 1 < argc) {
      options.windows = std::atoi(argv[++i]);
    } else if (argument == "--icount" && i + 1 < argc) {
      options.icount = argv[++i];
    } else if (argument.rfind("-", 0) == 0) {
      std::fprintf(stderr, "usage: live_overhead [--windows N] [--icount VALUE] [METHOD...]\n");
      return 2;
    } else {
      options.methods.push_back(argument);
    }
  }
  const auto met = compare(options);
  if (!met) {
    std::fprintf(stderr, "live_overhead: %s\n%s\n", met.error().to_string().c_str(),
                 met.error().hint().c_str());
    return 1;
  }
  return *met ? 0 : 1;
}
