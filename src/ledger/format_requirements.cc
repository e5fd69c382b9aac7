// What exploited kernel records needed: {"NAME": {"cve": ..., "patch": URL, "attack_surface": ["userns"],
// "caps": ["CAP_NET_ADMIN"], ...}}, as the kernelCTF submissions state it. Adds requirements to records that
// other sources describe.
#include <algorithm>
#include <map>

#include "ledger/format.h"

namespace hap::ledger {
namespace {

class Requirements : public RecordFormat {
 public:
  std::string name() const override { return "requirements"; }

  bool accepts(const Json& document) const override {
    return document.is_object() && !document.empty() && document.begin()->is_object() &&
           document.begin()->contains("cve") && document.begin()->contains("caps");
  }

  void read(const Json& document, RecordSink& sink) const override {
    struct Needs {
      std::vector<Requirement> list;
      std::string position;
    };
    // Several submissions exploit one record; what all of them needed is what it needs.
    std::map<std::string, Needs> needs;
    for (const auto& [key, item] : document.items()) {
      Fields fields(item);
      const std::string id = fields.text("cve");
      const auto surface = fields.texts("attack_surface");
      const auto capabilities = fields.texts("caps");
      if (!fields.trouble().empty()) {
        sink.malformed("/" + key, fields.trouble());
        continue;
      }
      std::vector<Requirement> list;
      for (const auto& capability : capabilities) {
        // The submissions gain their capabilities over namespaces of their own.
        list.push_back({Requirement::Kind::capability, capability, true, "exploit " + key});
      }
      if (capabilities.empty() && std::find(surface.begin(), surface.end(), "userns") != surface.end()) {
        list.push_back({Requirement::Kind::user_namespace, "", true, "exploit " + key});
      }
      const auto [at, first] = needs.try_emplace(id, Needs{list, "/" + key});
      if (first) continue;
      auto& kept = at->second.list;
      kept.erase(std::remove_if(kept.begin(), kept.end(),
                                [&list](const Requirement& have) {
                                  return std::none_of(
                                      list.begin(), list.end(), [&have](const Requirement& other) {
                                        return other.kind == have.kind && other.name == have.name;
                                      });
                                }),
                 kept.end());
    }
    for (auto& [id, need] : needs) {
      Record record;
      record.id = id;
      record.products = {"linux"};
      record.requirements = std::move(need.list);
      sink.record(std::move(record), need.position);
    }
  }
};

}  // namespace

std::unique_ptr<RecordFormat> make_requirements_format() {
  return std::make_unique<Requirements>();
}

}  // namespace hap::ledger
