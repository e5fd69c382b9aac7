// Functions, inlined calls, cold parts and clones whose lines and extents the test knows by their marks.
int sink(int value);
void stop_here(int code) __attribute__((noreturn, cold));
#include "scopes.h"

static inline __attribute__((always_inline)) int inner(int value) {
  return clamp_to(value, 7) + sink(value);  // line: inner-body
}

static inline __attribute__((always_inline)) int middle(int value) {
  int result = inner(value);  // line: inner-call
  return result + sink(3);    // line: middle-end
}

int outer(int value) {  // line: outer-start
  int result = 0;
  result += middle(value);  // line: middle-call
  result += sink(result);
  return result;
}  // line: outer-end

int with_cold_part(int value) {  // line: cold-start
  int result = sink(value);
  if (value < 0) {
    stop_here(result);  // line: cold-line
  }
  return sink(value + result) + 1;
}

static __attribute__((noinline)) int cloned(int value, int constant) {  // line: cloned-start
  int sum = 0;
  for (int i = 0; i < value; ++i) sum += sink(i * constant);
  return sum;
}

int use_clone(int value) {
  return cloned(value, 3) + cloned(value + 1, 3);
}

int (*copied_pointer)(int) = copied;
int use_copied(void) {
  return copied_pointer(1);
}
