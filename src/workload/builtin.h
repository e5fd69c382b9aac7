// The factories behind the catalogue, one per file.
#pragma once

#include <memory>

#include "workload/workload.h"

namespace hap::workload {

enum class RedisLoad { set, get };
std::unique_ptr<Workload> make_redis(RedisLoad load);
std::unique_ptr<Workload> make_node_express();
std::unique_ptr<Workload> make_python_tornado();
std::unique_ptr<Workload> make_idle();

}  // namespace hap::workload
