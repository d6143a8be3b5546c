#define _GNU_SOURCE /* sched_getaffinity, madvise */
#include "base/system.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>

#ifdef _WIN32

#include <io.h>
#include <windows.h>

#define LONGEST_PATH 32768 /* in UTF-16 */

/* NULL, and errno, if this is no path. */
static const wchar_t *wide(const char *path, wchar_t *room) {
  if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, room, LONGEST_PATH)) return room;
  errno = EINVAL;
  return NULL;
}

static HANDLE open_handle(const char *path, DWORD access) {
  wchar_t room[LONGEST_PATH];
  if (!wide(path, room)) return INVALID_HANDLE_VALUE;
  return CreateFileW(room, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
    FILE_ATTRIBUTE_NORMAL, NULL);
}

int system_processors(void) {
  DWORD_PTR ours, all;
  int n = 0;
  if (GetProcessAffinityMask(GetCurrentProcess(), &ours, &all))
    for (; ours; ours &= ours - 1) n++;
  return n; /* 0: in several groups of 64 */
}

double system_memory(void) {
  MEMORYSTATUSEX memory = {.dwLength = sizeof memory};
  return GlobalMemoryStatusEx(&memory) ? (double)memory.ullTotalPhys : HUGE_VAL;
}

int system_has_process(int id) {
  HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)id);
  if (!process) return GetLastError() == ERROR_ACCESS_DENIED;
  int runs = WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
  CloseHandle(process);
  return runs;
}

FILE *system_open(const char *path, int append) {
  wchar_t room[LONGEST_PATH];
  return wide(path, room) ? _wfopen(room, append ? L"ab" : L"wb") : NULL;
}

int system_sync(FILE *file) { return _commit(_fileno(file)) == 0 ? 0 : errno; }

void system_sync_folder(const char *path) { (void)path; } /* MoveFileEx() of file.rename() has done it */

int system_is_device(const char *path) {
  HANDLE file = open_handle(path, 0);
  if (file == INVALID_HANDLE_VALUE) return 0;
  int device = GetFileType(file) != FILE_TYPE_DISK;
  CloseHandle(file);
  return device;
}

int system_map(const char *path, struct mapping *m) {
  HANDLE file = open_handle(path, GENERIC_READ), map = NULL;
  LARGE_INTEGER size;
  m->at = NULL;
  if (file == INVALID_HANDLE_VALUE) return ENOENT;
  if (GetFileSizeEx(file, &size)) {
    m->bytes = (size_t)size.QuadPart;
    map = CreateFileMappingW(file, NULL, PAGE_READONLY, 0, 0, NULL);
  }
  if (map) {
    m->at = MapViewOfFile(map, FILE_MAP_READ, 0, 0, 0);
    CloseHandle(map); /* the view keeps both */
  }
  CloseHandle(file);
  return m->at ? 0 : EIO;
}

void system_unmap(const struct mapping *m) { UnmapViewOfFile(m->at); }

void system_read_ahead(const void *at, size_t bytes) { /* the system does so where rows follow each other */
  (void)at, (void)bytes;
}

/* To unlock what is not locked takes it out of the working set. */
void system_let_go(const void *at, size_t bytes) { VirtualUnlock((void *)(uintptr_t)at, bytes); }

#else

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#endif

int system_processors(void) {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

double system_memory(void) {
#ifdef _SC_PHYS_PAGES
  double bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  if (bytes > 0) return bytes;
#endif
  return HUGE_VAL;
}

int system_has_process(int id) { return id > 0 && (kill(id, 0) == 0 || errno == EPERM); }

FILE *system_open(const char *path, int append) { return fopen(path, append ? "ab" : "wb"); }

int system_sync(FILE *file) { return fsync(fileno(file)) == 0 || errno == EINVAL ? 0 : errno; } /* EINVAL: a pipe */

void system_sync_folder(const char *path) {
  int folder = open(path, O_RDONLY);
  if (folder < 0) return;
  if (fsync(folder) != 0) errno = 0;
  close(folder);
}

int system_is_device(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

int system_map(const char *path, struct mapping *m) {
  struct stat info;
  int file = open(path, O_RDONLY), failure = 0;
  if (file < 0) return errno;
  if (fstat(file, &info) != 0) failure = errno;
  else if (!S_ISREG(info.st_mode) || info.st_size <= 0) failure = EINVAL;
  m->bytes = failure ? 0 : (size_t)info.st_size;
  m->at = failure ? NULL : mmap(NULL, m->bytes, PROT_READ, MAP_PRIVATE, file, 0);
  if (m->at == MAP_FAILED) failure = errno;
  close(file);
  return failure;
}

void system_unmap(const struct mapping *m) { munmap(m->at, m->bytes); }

/* From the beginning of a page. */
static void advise(const void *at, size_t bytes, int advice) {
  uintptr_t begin = (uintptr_t)at, rest = begin % (uintptr_t)sysconf(_SC_PAGESIZE);
  int before = errno;
  if (bytes) madvise((void *)(begin - rest), bytes + rest, advice);
  errno = before;
}

void system_read_ahead(const void *at, size_t bytes) { advise(at, bytes, MADV_WILLNEED); }

void system_let_go(const void *at, size_t bytes) { advise(at, bytes, MADV_DONTNEED); }

#endif
