// Executes one of the emulator's marks (src/agent/mark.h): mark_program KIND ARGUMENT.
#include <stdint.h>
#include <stdlib.h>

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const uint64_t kind = strtoull(arguments[1], NULL, 10);
  const uint64_t argument = strtoull(arguments[2], NULL, 10);
  __asm__ volatile(".byte 0x0f, 0x1f, 0x80, 0x31, 0x50, 0x41, 0x48"
                   :
                   : "D"(kind), "S"(argument), "d"(0ull)
                   : "memory");
  return 0;
}
