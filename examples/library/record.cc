// record F.hap SANDBOX FUNCTIONS: writes a recording, as a collector does, of a machine that exists only
// here.
//
// One kernel without symbols, one task, and FUNCTIONS blocks of code that ran in each of ten windows.
#include <hap/recording.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

hap::Status write(const std::string& path, const std::string& sandbox, uint32_t functions) {
  HAP_TRY(writer, hap::RecordingWriter::create(path));
  HAP_CHECK(writer.set_meta("sandbox", sandbox));
  HAP_CHECK(writer.set_meta("workload", "example"));
  HAP_CHECK(writer.set_meta("collector", "example"));
  HAP_CHECK(writer.set_meta("granularity", "block"));
  HAP_CHECK(writer.set_meta("requests", "100"));
  HAP_CHECK(writer.set_meta("requests_failed", "0"));

  hap::Image kernel;
  kernel.id = 1;
  kernel.kind = hap::ImageKind::kernel;
  kernel.path = "vmlinux";
  HAP_CHECK(writer.add(kernel));
  hap::Task task;
  task.id = 1;
  task.pid = task.tgid = 100;
  task.comm = "service";
  task.cgroup = "/example";
  HAP_CHECK(writer.add(task));
  HAP_CHECK(writer.add(hap::ScopeRule{"cgroup", "/example", "application"}));
  hap::Actor actor;
  actor.id = 1;
  actor.task = 1;
  HAP_CHECK(writer.add(actor));
  for (uint32_t window = 1; window <= 10; ++window) {
    HAP_CHECK(writer.add(
        hap::Window{window, hap::Phase::serve, window * 1000000000LL, (window + 1) * 1000000000LL, 10}));
  }
  for (uint32_t block = 1; block <= functions; ++block) {
    HAP_CHECK(writer.add(hap::Block{block, 1, 0xffffffff81000000 + block * 64ULL, 32, block}));
    HAP_CHECK(writer.add(hap::Hit{block, 1, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}));
  }
  return writer.finish();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s F.hap SANDBOX FUNCTIONS\n", argv[0]);
    return 2;
  }
  const auto done = write(argv[1], argv[2], static_cast<uint32_t>(std::strtoul(argv[3], nullptr, 10)));
  if (done) return 0;
  std::fprintf(stderr, "%s\n", done.error().to_string().c_str());
  return 1;
}
