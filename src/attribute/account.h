// The account of a hit: the rules of docs/attribution.md, in code.
#pragma once

#include "attribute/scope.h"
#include "hap/profile.h"

namespace hap::attribute {

// `task` is the actor's.
Account account_of(const Actor& actor, const Task& task, const Image& image, const Scope& scope);

}  // namespace hap::attribute
