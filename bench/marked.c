// marked COMMAND...: runs a command in the lab machine as one recorded phase.
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

static void mark(uint64_t kind, uint64_t argument) {
  __asm__ volatile(".byte 0x0f, 0x1f, 0x80, 0x31, 0x50, 0x41, 0x48"
                   :
                   : "D"(kind), "S"(argument), "d"(0ull)
                   : "memory");
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  mark(1, 0);
  mark(3, 2);
  const pid_t child = fork();
  if (child == 0) {
    execvp(argv[1], argv + 1);
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  mark(4, 2);
  mark(2, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
