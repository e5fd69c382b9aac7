// node-express and python-tornado: a plain page, as published.
#include "workload/builtin.h"
#include "workload/http.h"

namespace hap::workload {
namespace {

constexpr const char* page = "Hello World!";

constexpr const char* express_source = R"js(const express = require('express');
const app = express();
app.get('/', (request, response) => response.send('Hello World!'));
app.listen(Number(process.argv[3]), process.argv[2]);
)js";

constexpr const char* tornado_source = R"py(import sys
import tornado.ioloop
import tornado.web


class Page(tornado.web.RequestHandler):
    def get(self):
        self.write("Hello World!")


tornado.web.Application([(r"/", Page)]).listen(int(sys.argv[2]), address=sys.argv[1])
tornado.ioloop.IOLoop.current().start()
)py";

class Page : public Workload {
 public:
  Page(sandbox::Service service, std::vector<std::string> version)
      : service_(std::move(service)), version_(std::move(version)) {}
  sandbox::Service service() const override { return service_; }
  std::unique_ptr<Client> client(const Endpoint& endpoint, std::chrono::milliseconds timeout) const override {
    return make_http_client(endpoint, timeout, "/", page, true);
  }
  std::vector<std::string> version_command() const override { return version_; }

 private:
  sandbox::Service service_;
  std::vector<std::string> version_;
};

}  // namespace

std::unique_ptr<Workload> make_node_express() {
  const std::string file = std::string(sandbox::service_folder) + "/app.js";
  sandbox::Service service;
  service.name = "node-express";
  service.port = 3000;
  service.argv = {"node", file, "{address}", std::to_string(service.port)};
  // Where Debian installs modules.
  service.env = {{"NODE_PATH", "/usr/share/nodejs"}};
  service.files = {{file, express_source}};
  return std::make_unique<Page>(service, std::vector<std::string>{"node", "--version"});
}

std::unique_ptr<Workload> make_python_tornado() {
  const std::string file = std::string(sandbox::service_folder) + "/app.py";
  sandbox::Service service;
  service.name = "python-tornado";
  service.port = 8888;
  service.argv = {"python3", file, "{address}", std::to_string(service.port)};
  service.files = {{file, tornado_source}};
  return std::make_unique<Page>(
      service,
      std::vector<std::string>{"python3", "-c", "import tornado; print('tornado', tornado.version)"});
}

}  // namespace hap::workload
