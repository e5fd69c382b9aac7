// Recording: a finished file is read whole, its seal is checked, and SQLite works on that memory, so that
// what was checked is what is read, whatever happens to the file meanwhile.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <unordered_set>

#include "base/unique_fd.h"
#include "hap/recording.h"
#include "recording/schema.h"
#include "recording/seal.h"
#include "recording/statement.h"
#include "recording/window_set.h"

namespace hap {
using recording::Database;
using recording::Statement;

namespace {

Error invalid(const std::string& what, const std::string& path) {
  return Error("the recording is invalid: " + what, ErrorKind::corrupt)
      .at(path)
      .hint("measure again; if it comes from this hap, please report it");
}

struct FreeSqlite {
  void operator()(unsigned char* bytes) const { sqlite3_free(bytes); }
};
struct Content {
  std::unique_ptr<unsigned char, FreeSqlite> bytes;  // SQLite's allocator: the database takes it over
  size_t size = 0;
};

Result<Content> read_whole(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0) {
    return Error::from_errno("cannot open the recording", errno)
        .at(path)
        .hint("check the name, or make one with `hap measure`");
  }
  if (!S_ISREG(status.st_mode))
    return Error("not a recording (not a regular file)", ErrorKind::corrupt).at(path);
  const auto size = static_cast<uint64_t>(status.st_size);
  if (size > recording::max_recording_size) {
    return Error("the file is too large for a recording", ErrorKind::corrupt).at(path);
  }
  Content content;
  content.bytes.reset(static_cast<unsigned char*>(sqlite3_malloc64(std::max<uint64_t>(size, 1))));
  if (content.bytes == nullptr) return Error("not enough memory for the recording").at(path);
  while (content.size < size) {
    const ssize_t count = ::read(fd.get(), content.bytes.get() + content.size, size - content.size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::from_errno("cannot read", errno).at(path);
    if (count == 0) break;
    content.size += static_cast<size_t>(count);
  }
  return content;
}

Result<Database> open_memory(Content content, const std::string& path) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(":memory:", &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database db(raw);
  if (code != SQLITE_OK) return Error("cannot start SQLite");
  sqlite3_db_config(db.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db.get(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(db.get(), SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_limit(db.get(), SQLITE_LIMIT_LENGTH, 1 << 24);
  const auto size = static_cast<sqlite3_int64>(content.size);
  if (sqlite3_deserialize(db.get(), "main", content.bytes.release(), size, size,
                          SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY) != SQLITE_OK) {
    return invalid("SQLite cannot open it", path);
  }
  if (const auto checked = recording::execute(db.get(), "PRAGMA cell_size_check=ON"); !checked) {
    return invalid(checked.error().message(), path);
  }
  return db;
}

// Tables exactly as this version creates them: no views, triggers, virtual tables or indexes that a hostile
// file could bring along.
Status check_schema(sqlite3* db, const std::string& path) {
  HAP_TRY(rows, Statement::prepare(db, "SELECT name, sql FROM sqlite_schema"));
  const auto wanted = recording::tables();
  size_t found = 0;
  for (;;) {
    HAP_TRY(more, rows.step());
    if (!more) break;
    const auto name = rows.text(0);
    const auto sql = rows.text(1);
    const bool known = std::any_of(wanted.begin(), wanted.end(),
                                   [&](const auto& table) { return table.name == name && table.sql == sql; });
    if (rows.bad() || !known) return invalid("it has tables of its own", path);
    ++found;
  }
  if (found != wanted.size()) return invalid("tables are missing", path);
  return {};
}

// Runs `read_row` for every row of a query.
template <typename ReadRow>
Status for_rows(sqlite3* db, std::string_view sql, const ReadRow& read_row) {
  HAP_TRY(rows, Statement::prepare(db, sql));
  for (;;) {
    HAP_TRY(more, rows.step());
    if (!more) return {};
    if (!read_row(rows) || rows.bad()) {
      return Error(fmt::format("unexpected value in \"{}\"", sql), ErrorKind::corrupt);
    }
  }
}

template <typename E>
bool assign(E& out, const std::optional<E>& value) {
  if (!value) return false;
  out = *value;
  return true;
}

Status read_identity(sqlite3* db, RecordingHeader& header) {
  HAP_CHECK(for_rows(db, "SELECT key, value FROM meta", [&](Statement& row) {
    header.meta.emplace(row.text(0), row.text(1));
    return true;
  }));
  HAP_CHECK(for_rows(db, "SELECT key, value FROM condition", [&](Statement& row) {
    header.conditions.emplace(row.text(0), row.text(1));
    return true;
  }));
  HAP_CHECK(for_rows(db, "SELECT kind, value, role FROM scope ORDER BY id", [&](Statement& row) {
    header.scope.push_back({std::string(row.text(0)), std::string(row.text(1)), std::string(row.text(2))});
    return true;
  }));
  HAP_CHECK(for_rows(db, "SELECT kind, count, detail FROM loss ORDER BY id", [&](Statement& row) {
    header.losses.push_back({std::string(row.text(0)), row.u64(1), std::string(row.text(2))});
    return true;
  }));
  return for_rows(db, "SELECT address FROM unobservable", [&](Statement& row) {
    header.unobservable.push_back(row.u64(0));
    return true;
  });
}

Status read_images(sqlite3* db, RecordingHeader& header) {
  std::map<uint32_t, size_t> position;
  HAP_CHECK(for_rows(
      db, "SELECT id, kind, space, path, build_id, load_address, inode, device FROM image ORDER BY id",
      [&](Statement& row) {
        Image image;
        image.id = row.u32(0);
        image.path = row.text(3);
        image.build_id = row.text(4);
        image.load_address = row.u64(5);
        image.inode = row.u64(6);
        image.device = row.u64(7);
        position.emplace(image.id, header.images.size());
        header.images.push_back(std::move(image));
        return assign(header.images.back().kind, image_kind_from(row.text(1))) &&
               assign(header.images.back().space, space_from(row.text(2)));
      }));
  return for_rows(db, "SELECT image, name, address FROM image_section", [&](Statement& row) {
    const auto known = position.find(row.u32(0));
    if (known == position.end()) return false;
    header.images[known->second].sections.emplace(row.text(1), row.u64(2));
    return true;
  });
}

Status read_tasks(sqlite3* db, RecordingHeader& header) {
  std::unordered_set<uint32_t> ids;
  HAP_CHECK(for_rows(
      db,
      "SELECT id, space, pid, tgid, ppid, start_ns, comm, cgroup, cgroup_id, kernel_thread FROM task "
      "ORDER BY id",
      [&](Statement& row) {
        Task task;
        task.id = row.u32(0);
        task.pid = row.i32(2);
        task.tgid = row.i32(3);
        task.ppid = row.i32(4);
        task.start_ns = row.u64(5);
        task.comm = row.text(6);
        task.cgroup = row.text(7);
        task.cgroup_id = row.u64(8);
        task.kernel_thread = row.integer(9) != 0;
        ids.insert(task.id);
        header.tasks.push_back(std::move(task));
        return header.tasks.back().id != 0 && assign(header.tasks.back().space, space_from(row.text(1)));
      }));
  HAP_CHECK(for_rows(db, "SELECT id, task, cause, owner_kind, owner_task, owner_name FROM actor ORDER BY id",
                     [&](Statement& row) {
                       Actor actor;
                       actor.id = row.u32(0);
                       actor.task = row.u32(1);
                       actor.owner_task = row.u32(4);
                       actor.owner_name = row.text(5);
                       const bool good = assign(actor.cause, cause_from(row.text(2))) &&
                                         assign(actor.owner_kind, owner_kind_from(row.text(3))) &&
                                         ids.contains(actor.task) &&
                                         (actor.owner_task == 0 || ids.contains(actor.owner_task));
                       header.actors.push_back(std::move(actor));
                       return good;
                     }));
  HAP_CHECK(for_rows(db, "SELECT pid, position, role, program FROM seccomp_filter", [&](Statement& row) {
    SeccompFilter filter;
    filter.pid = row.i32(0);
    filter.position = row.u32(1);
    filter.role = row.text(2);
    filter.program = row.blob(3);
    header.filters.push_back(std::move(filter));
    return true;
  }));
  return for_rows(db, "SELECT task, phase, number, count FROM syscall", [&](Statement& row) {
    SyscallCount count;
    count.task = row.u32(0);
    count.number = row.i32(2);
    count.count = row.u64(3);
    const bool good = assign(count.phase, phase_from(row.text(1))) && ids.contains(count.task);
    header.syscalls.push_back(count);
    return good;
  });
}

Status read_windows(sqlite3* db, RecordingHeader& header) {
  return for_rows(db, "SELECT id, phase, start_ns, end_ns, requests FROM window ORDER BY id",
                  [&](Statement& row) {
                    Window window;
                    window.id = row.u32(0);
                    window.start_ns = row.integer(2);
                    window.end_ns = row.integer(3);
                    window.requests = row.u64(4);
                    const bool good = assign(window.phase, phase_from(row.text(1)));
                    header.windows.push_back(window);
                    return good;
                  });
}

// Row id -> members. Ids of a well-formed recording are 1, 2, 3...
Result<std::vector<std::vector<uint32_t>>> read_window_sets(sqlite3* db, const std::vector<Window>& windows) {
  std::unordered_set<uint32_t> known;
  for (const auto& window : windows) known.insert(window.id);
  std::vector<std::vector<uint32_t>> sets(1);
  HAP_CHECK(for_rows(db, "SELECT id, members FROM window_set ORDER BY id", [&](Statement& row) {
    if (row.integer(0) != static_cast<int64_t>(sets.size())) return false;
    auto members = recording::decode_window_set(row.blob(1));
    if (!members || members->empty()) return false;
    if (!std::all_of(members->begin(), members->end(), [&](uint32_t id) { return known.contains(id); })) {
      return false;
    }
    sets.push_back(std::move(*members));
    return true;
  }));
  return sets;
}

Result<uint64_t> count_rows(sqlite3* db, std::string_view sql) {
  HAP_TRY(rows, Statement::prepare(db, sql));
  HAP_TRY(more, rows.step());
  if (!more) return Error("no count", ErrorKind::corrupt);
  return rows.u64(0);
}

}  // namespace

struct Recording::Impl {
  std::string path;
  Database db;
  RecordingHeader header;
  std::vector<std::vector<uint32_t>> window_sets;
  uint64_t blocks = 0;
  uint64_t hits = 0;

  Status load();
};

Status Recording::Impl::load() {
  HAP_CHECK(read_identity(db.get(), header));
  HAP_CHECK(read_images(db.get(), header));
  HAP_CHECK(read_tasks(db.get(), header));
  HAP_CHECK(read_windows(db.get(), header));
  HAP_TRY(sets, read_window_sets(db.get(), header.windows));
  window_sets = std::move(sets);
  HAP_TRY(block_rows, count_rows(db.get(), "SELECT count(*) FROM block"));
  HAP_TRY(hit_rows, count_rows(db.get(), "SELECT count(*) FROM hit"));
  blocks = block_rows;
  hits = hit_rows;
  return {};
}

Recording::Recording(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Recording::Recording(Recording&&) noexcept = default;
Recording& Recording::operator=(Recording&&) noexcept = default;
Recording::~Recording() = default;

Result<Recording> Recording::open(const std::string& path) {
  HAP_TRY(content, read_whole(path));
  HAP_TRY(database, recording::check_seal(
                        {reinterpret_cast<const std::byte*>(content.bytes.get()), content.size}, path));
  content.size = database;
  HAP_TRY(db, open_memory(std::move(content), path));
  if (const auto schema = check_schema(db.get(), path); !schema) {
    return schema.error().path().empty() ? invalid(schema.error().message(), path) : schema.error();
  }
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->db = std::move(db);
  if (const auto loaded = impl->load(); !loaded) return invalid(loaded.error().message(), path);
  return Recording(std::move(impl));
}

const std::string& Recording::path() const {
  return impl_->path;
}
const RecordingHeader& Recording::header() const {
  return impl_->header;
}
uint64_t Recording::block_count() const {
  return impl_->blocks;
}
uint64_t Recording::hit_count() const {
  return impl_->hits;
}

std::string Recording::meta(const std::string& key) const {
  const auto found = impl_->header.meta.find(key);
  return found == impl_->header.meta.end() ? std::string() : found->second;
}

Status Recording::for_each_block(const std::function<bool(const Block&)>& visit) const {
  bool stopped = false;
  HAP_TRY(rows, Statement::prepare(impl_->db.get(), "SELECT id, image, address, size, code_hash FROM block"));
  Block block;
  while (!stopped) {
    auto more = rows.step();
    if (!more) return invalid(more.error().message(), impl_->path);
    if (!*more) break;
    block.id = rows.u32(0);
    block.image = rows.u32(1);
    block.address = rows.u64(2);
    block.size = rows.u32(3);
    block.code_hash = rows.u64(4);
    if (rows.bad()) return invalid("a block row has unexpected values", impl_->path);
    stopped = !visit(block);
  }
  return {};
}

Status Recording::for_each_hit(const std::function<bool(const Hit&)>& visit) const {
  bool stopped = false;
  HAP_TRY(rows, Statement::prepare(impl_->db.get(),
                                   "SELECT block, actor, window_set FROM hit ORDER BY block, actor"));
  Hit hit;
  while (!stopped) {
    auto more = rows.step();
    if (!more) return invalid(more.error().message(), impl_->path);
    if (!*more) break;
    hit.block = rows.u32(0);
    hit.actor = rows.u32(1);
    const auto set = rows.u32(2);
    if (rows.bad() || set == 0 || set >= impl_->window_sets.size()) {
      return invalid("a hit row has unexpected values", impl_->path);
    }
    hit.windows = impl_->window_sets[set];
    stopped = !visit(hit);
  }
  return {};
}

}  // namespace hap
