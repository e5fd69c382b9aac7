// Checks JSON against the schemas in docs/ with python3-jsonschema.
#pragma once

#include <string>

#include "base/subprocess.h"

namespace hap::testing_support {

// Empty when the document obeys docs/<name>.schema.json, else what it breaks.
inline std::string schema_violation(const std::string& name, const std::string& document) {
  SpawnOptions python;
  python.argv = {
      "python3", "-c",
      "import json,sys,jsonschema\n"
      "schema=json.load(open(sys.argv[1]))\n"
      "jsonschema.Draft202012Validator.check_schema(schema)\n"
      "errors=list(jsonschema.Draft202012Validator(schema).iter_errors(json.load(sys.stdin)))\n"
      "print('\\n'.join(str(e.json_path)+': '+e.message[:300]+' '+str([c.message[:200] for c in e.context]) "
      "for e in errors), end='')\n",
      HAP_SOURCE_DIR "/docs/" + name + ".schema.json"};
  const auto output = run(python, std::chrono::seconds(60), document);
  if (!output) return output.error().to_string();
  return output->ok() ? output->out : output->err;
}

inline bool validator_there() {
  SpawnOptions python;
  python.argv = {"python3", "-c", "import jsonschema; jsonschema.Draft202012Validator"};
  const auto output = run(python);
  return output && output->ok();
}

}  // namespace hap::testing_support
