// Inlined into several units: one source function, whatever its copies.
static inline __attribute__((always_inline)) int clamp_to(int value, int limit) {
  if (value > limit) value = sink(limit);  // line: clamp
  return value;
}

static inline int copied(int value) {
  sink(value);
  return sink(value + 1);
}  // line: copied-end
