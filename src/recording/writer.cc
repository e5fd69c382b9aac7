// RecordingWriter: rows go into a SQLite file under a partial name; finish() checks, seals and publishes it.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

#include "hap/recording.h"
#include "recording/partial_file.h"
#include "recording/schema.h"
#include "recording/seal.h"
#include "recording/statement.h"
#include "recording/window_set.h"

namespace hap {
using recording::Database;
using recording::database_error;
using recording::execute;
using recording::PartialFile;
using recording::Statement;

namespace {

struct StoredHit {
  uint32_t block;
  uint32_t actor;
  uint32_t window_set;
};

// The statements that fill the tables, in one place so that they can be compared with schema.cc.
struct Inserts {
  Statement meta, condition, image, section, block, task, actor, window, window_set, hit, scope, syscall,
      filter, loss, unobservable;

  static Result<Inserts> prepare(sqlite3* db) {
    HAP_TRY(meta, Statement::prepare(db, "INSERT OR REPLACE INTO meta VALUES(?,?)"));
    HAP_TRY(condition, Statement::prepare(db, "INSERT OR REPLACE INTO condition VALUES(?,?)"));
    HAP_TRY(image, Statement::prepare(db, "INSERT INTO image VALUES(?,?,?,?,?,?,?,?)"));
    HAP_TRY(section, Statement::prepare(db, "INSERT INTO image_section VALUES(?,?,?)"));
    HAP_TRY(block, Statement::prepare(db, "INSERT INTO block VALUES(?,?,?,?,?)"));
    HAP_TRY(task, Statement::prepare(db, "INSERT INTO task VALUES(?,?,?,?,?,?,?,?,?,?)"));
    HAP_TRY(actor, Statement::prepare(db, "INSERT INTO actor VALUES(?,?,?,?,?,?)"));
    HAP_TRY(window, Statement::prepare(db, "INSERT INTO window VALUES(?,?,?,?,?)"));
    HAP_TRY(window_set, Statement::prepare(db, "INSERT INTO window_set VALUES(?,?)"));
    HAP_TRY(hit, Statement::prepare(db, "INSERT INTO hit VALUES(?,?,?)"));
    HAP_TRY(scope, Statement::prepare(db, "INSERT INTO scope(kind,value,role) VALUES(?,?,?)"));
    HAP_TRY(syscall, Statement::prepare(db, "INSERT INTO syscall VALUES(?,?,?,?)"));
    HAP_TRY(filter, Statement::prepare(db, "INSERT INTO seccomp_filter VALUES(?,?,?,?)"));
    HAP_TRY(loss, Statement::prepare(db, "INSERT INTO loss(kind,count,detail) VALUES(?,?,?)"));
    HAP_TRY(unobservable, Statement::prepare(db, "INSERT OR IGNORE INTO unobservable VALUES(?)"));
    return Inserts{std::move(meta),       std::move(condition), std::move(image),       std::move(section),
                   std::move(block),      std::move(task),      std::move(actor),       std::move(window),
                   std::move(window_set), std::move(hit),       std::move(scope),       std::move(syscall),
                   std::move(filter),     std::move(loss),      std::move(unobservable)};
  }
};

using Ids = std::unordered_set<uint32_t>;

Error dangling(std::string_view row, uint32_t id, std::string_view what, uint32_t missing) {
  return Error(fmt::format("{} {} refers to {} {}, which is not in the recording", row, id, what, missing),
               ErrorKind::corrupt);
}

}  // namespace

// The order of members matters: statements go before the database, the database before its file.
struct RecordingWriter::Impl {
  PartialFile file;
  Database db;
  Inserts inserts;
  Ids images, blocks, tasks, actors, windows;
  std::vector<std::pair<uint32_t, uint32_t>> block_images;  // block, image
  std::vector<std::pair<uint32_t, uint32_t>> actor_tasks;   // actor, task; owners too
  std::vector<uint32_t> syscall_tasks;
  std::vector<StoredHit> hits;
  std::unordered_map<std::string, uint32_t> window_sets;  // members as raw bytes -> row
  std::unordered_set<uint32_t> used_windows;

  Result<uint32_t> window_set(const Hit& hit);
  Status check_references() const;
  Status write_hits();
};

Result<uint32_t> RecordingWriter::Impl::window_set(const Hit& hit) {
  const auto& members = hit.windows;
  if (members.empty() ||
      std::adjacent_find(members.begin(), members.end(), std::greater_equal<>()) != members.end()) {
    return Error(fmt::format("the windows of block {} are empty or not ascending", hit.block),
                 ErrorKind::corrupt);
  }
  std::string key(members.size() * sizeof(uint32_t), '\0');
  std::memcpy(key.data(), members.data(), key.size());
  const auto next = static_cast<uint32_t>(window_sets.size() + 1);
  const auto [known, added] = window_sets.try_emplace(std::move(key), next);
  if (added) {
    used_windows.insert(members.begin(), members.end());
    const std::string bytes = recording::encode_window_set(members);
    HAP_CHECK(inserts.window_set.bind(1, int64_t{next}).bind_blob(2, bytes).insert());
  }
  return known->second;
}

Status RecordingWriter::Impl::check_references() const {
  for (const auto& [block, image] : block_images) {
    if (!images.contains(image)) return dangling("block", block, "image", image);
  }
  for (const auto& [actor, task] : actor_tasks) {
    if (!tasks.contains(task)) return dangling("actor", actor, "task", task);
  }
  for (const auto task : syscall_tasks) {
    if (!tasks.contains(task)) return dangling("a system call count of task", task, "task", task);
  }
  for (const auto window : used_windows) {
    if (!windows.contains(window)) return dangling("a hit in window", window, "window", window);
  }
  for (const auto& hit : hits) {
    if (!blocks.contains(hit.block)) return dangling("a hit of block", hit.block, "block", hit.block);
    if (!actors.contains(hit.actor)) return dangling("a hit of block", hit.block, "actor", hit.actor);
  }
  return {};
}

Status RecordingWriter::Impl::write_hits() {
  std::sort(hits.begin(), hits.end(), [](const StoredHit& a, const StoredHit& b) {
    return std::pair(a.block, a.actor) < std::pair(b.block, b.actor);
  });
  for (size_t i = 0; i < hits.size(); ++i) {
    const auto& hit = hits[i];
    if (i > 0 && hits[i - 1].block == hit.block && hits[i - 1].actor == hit.actor) {
      return Error(fmt::format("block {} of actor {} was added twice", hit.block, hit.actor),
                   ErrorKind::corrupt);
    }
    HAP_CHECK(inserts.hit.bind(1, int64_t{hit.block})
                  .bind(2, int64_t{hit.actor})
                  .bind(3, int64_t{hit.window_set})
                  .insert());
  }
  return {};
}

RecordingWriter::RecordingWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RecordingWriter::RecordingWriter(RecordingWriter&&) noexcept = default;
RecordingWriter& RecordingWriter::operator=(RecordingWriter&&) noexcept = default;
RecordingWriter::~RecordingWriter() = default;

Result<RecordingWriter> RecordingWriter::create(const std::string& path) {
  HAP_TRY(file, PartialFile::create(path));
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(
      file.path().c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX, nullptr);
  Database db(raw);
  if (code != SQLITE_OK) return database_error(db.get(), "creating the recording");
  int reserve = recording::seal_size;
  sqlite3_file_control(db.get(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
  // A crash loses the partial file anyway, so there is no journal to keep and nothing to sync before the end.
  HAP_CHECK(execute(db.get(),
                    fmt::format("PRAGMA page_size={}; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; "
                                "PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-65536; "
                                "PRAGMA application_id={}; PRAGMA user_version={}; BEGIN",
                                recording::page_size, recording::application_id, recording_schema_version)));
  for (const auto& table : recording::tables()) HAP_CHECK(execute(db.get(), std::string(table.sql)));
  HAP_TRY(inserts, Inserts::prepare(db.get()));
  auto impl = std::unique_ptr<Impl>(new Impl{
      std::move(file), std::move(db), std::move(inserts), {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}});
  return RecordingWriter(std::move(impl));
}

Status RecordingWriter::set_meta(const std::string& key, const std::string& value) {
  return impl_->inserts.meta.bind(1, key).bind(2, value).insert();
}

Status RecordingWriter::set_condition(const std::string& key, const std::string& value) {
  return impl_->inserts.condition.bind(1, key).bind(2, value).insert();
}

Status RecordingWriter::add(const Image& image) {
  impl_->images.insert(image.id);
  HAP_CHECK(impl_->inserts.image.bind(1, int64_t{image.id})
                .bind(2, to_string(image.kind))
                .bind(3, to_string(image.space))
                .bind(4, image.path)
                .bind(5, image.build_id)
                .bind(6, static_cast<int64_t>(image.load_address))
                .bind(7, static_cast<int64_t>(image.inode))
                .bind(8, static_cast<int64_t>(image.device))
                .insert());
  for (const auto& [name, address] : image.sections) {
    HAP_CHECK(impl_->inserts.section.bind(1, int64_t{image.id})
                  .bind(2, name)
                  .bind(3, static_cast<int64_t>(address))
                  .insert());
  }
  return {};
}

Status RecordingWriter::add(const Block& block) {
  impl_->blocks.insert(block.id);
  impl_->block_images.emplace_back(block.id, block.image);
  return impl_->inserts.block.bind(1, int64_t{block.id})
      .bind(2, int64_t{block.image})
      .bind(3, static_cast<int64_t>(block.address))
      .bind(4, int64_t{block.size})
      .bind(5, static_cast<int64_t>(block.code_hash))
      .insert();
}

Status RecordingWriter::add(const Task& task) {
  if (task.id == 0) return Error("task 0 is reserved for \"none\"", ErrorKind::corrupt);
  impl_->tasks.insert(task.id);
  return impl_->inserts.task.bind(1, int64_t{task.id})
      .bind(2, to_string(task.space))
      .bind(3, int64_t{task.pid})
      .bind(4, int64_t{task.tgid})
      .bind(5, int64_t{task.ppid})
      .bind(6, static_cast<int64_t>(task.start_ns))
      .bind(7, task.comm)
      .bind(8, task.cgroup)
      .bind(9, static_cast<int64_t>(task.cgroup_id))
      .bind(10, int64_t{task.kernel_thread})
      .insert();
}

Status RecordingWriter::add(const Actor& actor) {
  impl_->actors.insert(actor.id);
  impl_->actor_tasks.emplace_back(actor.id, actor.task);
  if (actor.owner_task != 0) impl_->actor_tasks.emplace_back(actor.id, actor.owner_task);
  return impl_->inserts.actor.bind(1, int64_t{actor.id})
      .bind(2, int64_t{actor.task})
      .bind(3, to_string(actor.cause))
      .bind(4, to_string(actor.owner_kind))
      .bind(5, int64_t{actor.owner_task})
      .bind(6, actor.owner_name)
      .insert();
}

Status RecordingWriter::add(const Window& window) {
  impl_->windows.insert(window.id);
  return impl_->inserts.window.bind(1, int64_t{window.id})
      .bind(2, to_string(window.phase))
      .bind(3, window.start_ns)
      .bind(4, window.end_ns)
      .bind(5, static_cast<int64_t>(window.requests))
      .insert();
}

Status RecordingWriter::add(const Hit& hit) {
  HAP_TRY(set, impl_->window_set(hit));
  impl_->hits.push_back({hit.block, hit.actor, set});
  return {};
}

Status RecordingWriter::add(const ScopeRule& rule) {
  return impl_->inserts.scope.bind(1, rule.kind).bind(2, rule.value).bind(3, rule.role).insert();
}

Status RecordingWriter::add(const SyscallCount& count) {
  impl_->syscall_tasks.push_back(count.task);
  return impl_->inserts.syscall.bind(1, int64_t{count.task})
      .bind(2, to_string(count.phase))
      .bind(3, int64_t{count.number})
      .bind(4, static_cast<int64_t>(count.count))
      .insert();
}

Status RecordingWriter::add(const SeccompFilter& filter) {
  return impl_->inserts.filter.bind(1, int64_t{filter.pid})
      .bind(2, int64_t{filter.position})
      .bind(3, filter.role)
      .bind_blob(4, filter.program)
      .insert();
}

Status RecordingWriter::add(const Loss& loss) {
  return impl_->inserts.loss.bind(1, loss.kind)
      .bind(2, static_cast<int64_t>(loss.count))
      .bind(3, loss.detail)
      .insert();
}

Status RecordingWriter::add_unobservable(uint64_t address) {
  return impl_->inserts.unobservable.bind(1, static_cast<int64_t>(address)).insert();
}

Status RecordingWriter::finish() {
  const auto impl = std::move(impl_);  // spent, whatever happens
  HAP_CHECK(impl->check_references());
  HAP_CHECK(impl->write_hits());
  HAP_CHECK(execute(impl->db.get(), "COMMIT"));
  {
    const Inserts done = std::move(impl->inserts);  // statements must be gone for the database to close
  }
  impl->db.reset();
  HAP_CHECK(recording::seal_file(impl->file.fd(), impl->file.path()));
  return impl->file.publish();
}

}  // namespace hap
