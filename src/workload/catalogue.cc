#include "workload/catalogue.h"

#include "workload/builtin.h"

namespace hap::workload {

const std::vector<Entry>& catalogue() {
  static const std::vector<Entry> rows{
      {"redis-set", "redis, one SET per request, as published", "redis-server"},
      {"redis-get", "redis, one GET per request", "redis-server"},
      {"node-express", "node with express, a plain page per request, as published", "node-express"},
      {"python-tornado", "python with tornado, a plain page per request, as published", "python3-tornado"},
      {kIdle, "nothing: what the machine does by itself, for `hap report --baseline`", "coreutils"},
  };
  return rows;
}

Result<std::unique_ptr<Workload>> make_workload(const std::string& name) {
  if (name == "redis-set") return make_redis(RedisLoad::set);
  if (name == "redis-get") return make_redis(RedisLoad::get);
  if (name == "node-express") return make_node_express();
  if (name == "python-tornado") return make_python_tornado();
  if (name == kIdle) return make_idle();
  std::string names;
  for (const auto& row : catalogue()) names += (names.empty() ? "" : ", ") + row.name;
  return Error("there is no workload `" + name + "`", ErrorKind::usage)
      .hint("choose one of " + names + ", or give a TOML file that describes one");
}

}  // namespace hap::workload
