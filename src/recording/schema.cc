#include "recording/schema.h"

#include <array>

namespace hap::recording {
namespace {

constexpr std::array<Table, 15> version_1{{
    {"meta", "CREATE TABLE meta(key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID"},
    {"condition", "CREATE TABLE condition(key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID"},
    {"image",
     "CREATE TABLE image(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, space TEXT NOT NULL, path TEXT NOT "
     "NULL, "
     "build_id TEXT NOT NULL, load_address INTEGER NOT NULL, inode INTEGER NOT NULL, device INTEGER NOT "
     "NULL)"},
    {"image_section",
     "CREATE TABLE image_section(image INTEGER NOT NULL, name TEXT NOT NULL, address INTEGER NOT NULL, "
     "PRIMARY KEY(image, name)) WITHOUT ROWID"},
    {"block",
     "CREATE TABLE block(id INTEGER PRIMARY KEY, image INTEGER NOT NULL, address INTEGER NOT NULL, "
     "size INTEGER NOT NULL, code_hash INTEGER NOT NULL)"},
    {"task",
     "CREATE TABLE task(id INTEGER PRIMARY KEY, space TEXT NOT NULL, pid INTEGER NOT NULL, tgid INTEGER NOT "
     "NULL, "
     "ppid INTEGER NOT NULL, start_ns INTEGER NOT NULL, comm TEXT NOT NULL, cgroup TEXT NOT NULL, "
     "cgroup_id INTEGER NOT NULL, kernel_thread INTEGER NOT NULL)"},
    {"actor",
     "CREATE TABLE actor(id INTEGER PRIMARY KEY, task INTEGER NOT NULL, cause TEXT NOT NULL, "
     "owner_kind TEXT NOT NULL, owner_task INTEGER NOT NULL, owner_name TEXT NOT NULL)"},
    {"window",
     "CREATE TABLE window(id INTEGER PRIMARY KEY, phase TEXT NOT NULL, start_ns INTEGER NOT NULL, "
     "end_ns INTEGER NOT NULL, requests INTEGER NOT NULL)"},
    {"window_set", "CREATE TABLE window_set(id INTEGER PRIMARY KEY, members BLOB NOT NULL)"},
    {"hit",
     "CREATE TABLE hit(block INTEGER NOT NULL, actor INTEGER NOT NULL, window_set INTEGER NOT NULL, "
     "PRIMARY KEY(block, actor)) WITHOUT ROWID"},
    {"scope",
     "CREATE TABLE scope(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT NULL, role TEXT NOT "
     "NULL)"},
    {"syscall",
     "CREATE TABLE syscall(task INTEGER NOT NULL, phase TEXT NOT NULL, number INTEGER NOT NULL, "
     "count INTEGER NOT NULL, PRIMARY KEY(task, phase, number)) WITHOUT ROWID"},
    {"seccomp_filter",
     "CREATE TABLE seccomp_filter(pid INTEGER NOT NULL, position INTEGER NOT NULL, role TEXT NOT NULL, "
     "program BLOB NOT NULL, PRIMARY KEY(pid, position)) WITHOUT ROWID"},
    {"loss",
     "CREATE TABLE loss(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, count INTEGER NOT NULL, "
     "detail TEXT NOT NULL)"},
    {"unobservable", "CREATE TABLE unobservable(address INTEGER PRIMARY KEY)"},
}};

}  // namespace

std::span<const Table> tables() {
  return version_1;
}

}  // namespace hap::recording
