// A static program whose system calls between the marks are known, for tests/lab/emulator_test.cc.
//
//   known [TIMES [CHILDREN]]    makes those of its first window so often, once by default, and then has so
//   many
//                               children make them once each, one after the other
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

__attribute__((always_inline)) static inline void mark(uint64_t kind, uint64_t argument) {
  __asm__ volatile(".byte 0x0f, 0x1f, 0x80, 0x31, 0x50, 0x41, 0x48"
                   :
                   : "D"(kind), "S"(argument), "d"(0ull)
                   : "memory");
}

// Sleeps until a millisecond after a tenth of a second: the timer tick has just been, and the next is far
// behind the last mark of a program this short.
static void wait_behind_a_tick(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  const int64_t now = (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
  const int64_t then = (now / 100000000 + 2) * 100000000 + 1000000;
  at.tv_sec = then / 1000000000;
  at.tv_nsec = then % 1000000000;
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, 0);
}

static void make_calls(void) {
  char buffer[64];
  int ends[2];
  syscall(SYS_getpid);
  const long file = syscall(SYS_openat, AT_FDCWD, "/proc/self/comm", O_RDONLY);
  syscall(SYS_read, file, buffer, sizeof(buffer));
  syscall(SYS_close, file);
  syscall(SYS_pipe, ends);
  syscall(SYS_write, ends[1], buffer, 1);
  syscall(SYS_write, ends[1], (void*)8, 1);  // a fault that the kernel recovers from
}

int main(int count, char** arguments) {
  const int times = count > 1 ? atoi(arguments[1]) : 1;
  const int children = count > 2 ? atoi(arguments[2]) : 0;
  wait_behind_a_tick();
  mark(1, 0);
  mark(3, 2);
  mark(5, 1);
  for (int i = 0; i < times; ++i) make_calls();
  for (int i = 0; i < children; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      make_calls();
      _exit(0);
    }
    waitpid(child, NULL, 0);
  }
  mark(5, 2);
  syscall(SYS_getppid);
  mark(4, 2);
  mark(2, 0);
  return 0;
}
