// A second unit with a copy of the same header function.
int sink(int value);
#include "scopes.h"

int (*other_pointer)(int) = copied;

__attribute__((section(".init.text"))) int initialize(int value) {
  return clamp_to(value, 2);
}

int main(void) {
  return other_pointer(2);
}
int sink(int value) {
  __asm__ volatile("" : "+r"(value));
  return value;
}
void stop_here(int code) {
  for (;;) sink(code);
}
