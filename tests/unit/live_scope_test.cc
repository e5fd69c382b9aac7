// Finding cgroups and containers, in folders laid out as the engines do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "base/temp_dir.h"
#include "live/cgroups.h"
#include "live/collectors.h"
#include "live/containers.h"
#include "live/held_command.h"
#include "live/hit_book.h"
#include "live/privileges.h"
#include "live/processes.h"
#include "live/scope_finder.h"

namespace hap::live {
namespace {

using collect::ThreadClass;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAreArray;

class FakeMachine : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = TempDir::create();
    ASSERT_TRUE(folder);
    folder_ = std::make_unique<TempDir>(std::move(*folder));
    mounts_ = {{folder_->file("cg"), true, ""}, {folder_->file("v1/memory"), false, "memory"}};
    group("cg");
    group("v1/memory");
  }
  void group(const std::string& path) { ASSERT_TRUE(make_dirs(folder_->file(path))); }
  void put(const std::string& path, const std::string& content) {
    const auto full = folder_->file(path);
    ASSERT_TRUE(make_dirs(std::filesystem::path(full).parent_path()));
    ASSERT_TRUE(write_file_atomic(full, content));
  }
  std::string root() const { return folder_->file("root") + "/"; }

  std::unique_ptr<TempDir> folder_;
  std::vector<CgroupMount> mounts_;
  const std::string id_ = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
};

TEST(Cgroups, MountsOfAHybridMachine) {
  const auto mounts = parse_cgroup_mounts(
      "25 30 0:23 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"
      "31 25 0:27 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
      "32 25 0:28 / /sys/fs/cgroup/systemd rw shared:10 - cgroup cgroup rw,xattr,name=systemd\n");
  ASSERT_EQ(mounts.size(), 2u);
  EXPECT_EQ(mounts[0].point, "/sys/fs/cgroup/unified");
  EXPECT_TRUE(mounts[0].v2);
  EXPECT_FALSE(mounts[1].v2);
  EXPECT_THAT(mounts[1].controllers, HasSubstr("name=systemd"));
}

TEST_F(FakeMachine, CgroupsByFolderPathAndLastParts) {
  group("cg/system.slice/redis.service");
  put("cg/system.slice/redis.service/cgroup.threads", "11\n12\n");
  group("cg/system.slice/redis.service/inner");
  put("cg/system.slice/redis.service/inner/cgroup.threads", "13\n");
  for (const std::string& name :
       {folder_->file("cg/system.slice/redis.service"), std::string("/system.slice/redis.service/"),
        std::string("system.slice/redis.service"), std::string("redis.service")}) {
    const auto found = find_cgroup(mounts_, name);
    ASSERT_TRUE(found) << name;
    EXPECT_EQ(found->path, "/system.slice/redis.service");
    EXPECT_NE(found->id, 0u);
    EXPECT_THAT(threads_in(*found), ::testing::UnorderedElementsAre(11, 12, 13));
  }
  EXPECT_FALSE(find_cgroup(mounts_, "/"));
  EXPECT_FALSE(find_cgroup(mounts_, folder_->file("cg")));
  EXPECT_FALSE(find_cgroup(mounts_, "absent.service"));
  EXPECT_FALSE(find_cgroup(mounts_, "edis.service")) << "whole names only";
  group("cg/user.slice/redis.service");
  EXPECT_THAT(find_cgroup(mounts_, "redis.service").error().message(), HasSubstr("2 cgroups"));
}

TEST_F(FakeMachine, GroupsThatOnlyVersion1Knows) {
  group("v1/memory/docker/abc");
  put("v1/memory/docker/abc/tasks", "7\n");
  const auto found = find_cgroup(mounts_, "docker/abc");
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->v2);
  EXPECT_THAT(threads_in(*found), ElementsAre(7));
}

TEST_F(FakeMachine, DockerByNameAndByTheBeginningOfItsId) {
  put("root/var/lib/docker/containers/" + id_ + "/config.v2.json", R"({"Name":"/web"})");
  group("cg/system.slice/docker-" + id_ + ".scope/init");
  for (const std::string& wanted : {std::string("web"), id_, id_.substr(0, 12), id_.substr(0, 3)}) {
    const auto found = find_container(root(), mounts_, wanted);
    ASSERT_TRUE(found) << wanted << ": " << found.error().to_string();
    EXPECT_EQ(found->name, "web");
    EXPECT_EQ(found->engine, "docker");
    ASSERT_EQ(found->cgroups.size(), 1u);
    EXPECT_EQ(found->cgroups[0].path, "/system.slice/docker-" + id_ + ".scope");
  }
  EXPECT_FALSE(find_container(root(), mounts_, "we"));
  EXPECT_FALSE(find_container(root(), mounts_, "fff"));
}

TEST_F(FakeMachine, PodmanWithoutItsMonitor) {
  put("root/var/lib/containers/storage/overlay-containers/containers.json",
      R"([{"id":")" + id_ + R"(","names":["db"],"metadata":"{\"image-name\":\"x\"}"}])");
  group("cg/machine.slice/libpod-" + id_ + ".scope/container");
  group("cg/machine.slice/libpod-conmon-" + id_ + ".scope");
  const auto found = find_container(root(), mounts_, "db");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->engine, "podman");
  ASSERT_EQ(found->cgroups.size(), 1u);
  EXPECT_EQ(found->cgroups[0].path, "/machine.slice/libpod-" + id_ + ".scope");
}

TEST_F(FakeMachine, CrioAndContainerd) {
  put("root/run/containers/storage/overlay-containers/containers.json",
      R"([{"id":")" + id_ + R"(","names":["k8s_db"],"metadata":"{\"pod-id\":\"1\"}"}])");
  group("cg/kubepods.slice/crio-" + id_ + ".scope");
  EXPECT_EQ(find_container(root(), mounts_, id_.substr(0, 8))->engine, "cri-o");

  const std::string other = "fedcba98" + id_.substr(8);
  put("root/run/containerd/io.containerd.runtime.v2.task/k8s.io/" + other + "/config.json",
      R"({"annotations":{"io.kubernetes.cri.container-name":"api"}})");
  group("cg/kubepods.slice/cri-containerd-" + other + ".scope");
  const auto found = find_container(root(), mounts_, "api");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->engine, "containerd");
  EXPECT_EQ(found->id, other);
}

TEST_F(FakeMachine, UnknownEnginesByTheCgroupsName) {
  group("cg/machine.slice/other-" + id_ + ".scope");
  const auto found = find_container(root(), mounts_, id_.substr(0, 6));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, id_);
  EXPECT_EQ(found->engine, "");
}

TEST_F(FakeMachine, WhatFitsSeveralOrDoesNotRunIsRefused) {
  const std::string other = id_.substr(0, 60) + "ffff";
  put("root/var/lib/docker/containers/" + id_ + "/config.v2.json", R"({"Name":"/a"})");
  put("root/var/lib/docker/containers/" + other + "/config.v2.json", "damaged {");
  EXPECT_THAT(find_container(root(), mounts_, id_.substr(0, 8)).error().message(), HasSubstr("2 containers"));
  EXPECT_THAT(find_container(root(), mounts_, "a").error().message(), HasSubstr("does not run"));
}

TEST(Processes, ThisOne) {
  const auto row = read_process(::getpid());
  ASSERT_TRUE(row);
  EXPECT_EQ(row->ppid, ::getppid());
  EXPECT_GT(row->start_ticks, 0u);
  EXPECT_FALSE(row->kernel_thread);
  EXPECT_EQ(process_of(::getpid()), ::getpid());
  EXPECT_THAT(threads_of(::getpid()), ::testing::Contains(::getpid()));
  const auto task = describe_thread(::getpid());
  ASSERT_TRUE(task);
  EXPECT_EQ(task->tgid, ::getpid());
  EXPECT_FALSE(read_process(0));
}

TEST(HeldCommand, DoesNothingBeforeItIsReleased) {
  auto folder = TempDir::create();
  ASSERT_TRUE(folder);
  const auto file = folder->file("made");
  auto command = HeldCommand::start({"touch", file});
  ASSERT_TRUE(command) << command.error().to_string();
  ::usleep(50'000);
  EXPECT_NE(::access(file.c_str(), F_OK), 0);
  EXPECT_FALSE(command->ended());
  ASSERT_TRUE(command->release());
  for (int i = 0; i < 500 && !command->ended(); ++i) ::usleep(10'000);
  ASSERT_TRUE(command->ended());
  EXPECT_EQ(WEXITSTATUS(*command->ended()), 0);
  EXPECT_EQ(::access(file.c_str(), F_OK), 0);
}

TEST(HeldCommand, GoesWithItsOwnerAndTellsWhatCannotBeExecuted) {
  pid_t pid = 0;
  {
    auto command = HeldCommand::start({"true"});
    ASSERT_TRUE(command);
    pid = command->pid();
  }
  EXPECT_FALSE(read_process(pid));
  EXPECT_FALSE(HeldCommand::start({"/no/such/program"}));
  auto folder = TempDir::create();
  ASSERT_TRUE(write_file_atomic(folder->file("text"),
                                "\x7f"
                                "ELF damaged",
                                0755));
  auto command = HeldCommand::start({folder->file("text")});
  ASSERT_TRUE(command);
  EXPECT_FALSE(command->release());
}

TEST(ScopeFinder, ACommandWithItsDescendants) {
  auto command = HeldCommand::start({"sleep", "60"});
  ASSERT_TRUE(command);
  auto finder = ScopeFinder::find({ScopeRequest::Kind::command, "sleep", command->pid()});
  ASSERT_TRUE(finder);
  EXPECT_EQ(finder->kind(), "command");
  const auto scope = finder->look(true);
  std::vector<pid_t> watched;
  for (const auto& thread : scope.threads) {
    watched.push_back(thread.tid);
    EXPECT_EQ(thread.tgid, command->pid());
    EXPECT_EQ(thread.thread_class, ThreadClass::application);
  }
  // One, unless a sanitizer has given the forked process another.
  EXPECT_THAT(watched, UnorderedElementsAreArray(threads_of(command->pid())));
  EXPECT_THAT(watched, Contains(command->pid()));
  EXPECT_THAT(scope.never, ElementsAre(::getpid()));
  EXPECT_FALSE(finder->ended());
}

TEST(ScopeFinder, RefusesWhatIsNoSandbox) {
  for (const char* value : {"1", "0", "-3", "abc", "999999999"}) {
    EXPECT_FALSE(ScopeFinder::find({ScopeRequest::Kind::process, value, 0})) << value;
  }
}

TEST(HitBook, OneEntryPerWindow) {
  HitBook book;
  book.hit(1, ThreadClass::application, Cause::process);  // before any window
  EXPECT_TRUE(book.hits().empty());
  book.open_window(1);
  book.hit(1, ThreadClass::application, Cause::process);
  book.hit(1, ThreadClass::application, Cause::process);
  book.hit(1, ThreadClass::application, Cause::hardirq);
  book.hit(2, ThreadClass::none, Cause::process);
  book.open_window(2);
  book.hit(1, ThreadClass::application, Cause::process);
  ASSERT_EQ(book.hits().size(), 2u);
  EXPECT_THAT(book.hits().at({1, ThreadClass::application, Cause::process}), ElementsAre(1, 2));
  EXPECT_EQ(book.functions(), 1u);
}

TEST(Privileges, OnlyThoseNamedStay) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto before = effective_capabilities();
    if (!before || !keep_capabilities({"CAP_SYSLOG"})) ::_exit(1);
    const auto after = effective_capabilities();
    ::_exit(after && *after == (*before & (uint64_t{1} << 34)) ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_FALSE(keep_capabilities({"CAP_NONSENSE"}));
}

TEST(Collectors, AnUnknownNameIsRefused) {
  EXPECT_FALSE(make_collector("dtrace"));
  for (const auto& named : live_collectors()) EXPECT_TRUE(make_collector(named.name));
}

}  // namespace
}  // namespace hap::live
