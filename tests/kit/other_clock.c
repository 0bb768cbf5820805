/* The clock of the machine, less or more what a file says: for processes that are started with this library before all
   others. Eight bytes of the file that FIELDMESH_TEST_CLOCK names are a signed number of microseconds. It is looked at
   with each call, so the clock of a running process jumps when the file changes. Only the time of day jumps: monotonic
   clocks go on as they are, like those of a machine whose time is set. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static _Atomic int64_t nothing;
static _Atomic int64_t *offset = &nothing;

__attribute__((constructor)) static void begin(void) {
  const char *name = getenv("FIELDMESH_TEST_CLOCK");
  int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *found = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (found != MAP_FAILED) offset = found;
}

int clock_gettime(clockid_t which, struct timespec *at) {
  int result = (int)syscall(SYS_clock_gettime, which, at);
  if (result == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
    int64_t nanoseconds = at->tv_nsec + (*offset % 1000000) * 1000;
    at->tv_sec += *offset / 1000000 + (nanoseconds < 0 ? -1 : nanoseconds / 1000000000);
    at->tv_nsec = (nanoseconds + 1000000000) % 1000000000;
  }
  return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  struct timespec now;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
