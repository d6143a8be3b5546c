/* system.h - what the systems that R runs on have each in its own way. Their headers define names such as BOOL and
 * INT32 for themselves, so system.c, which includes them, includes nothing else of ours. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <stddef.h>
#include <stdio.h>

/* Paths are UTF-8 on Windows and in the encoding of the locale elsewhere. Where an int tells how it went it is 0 or an
 * errno. */
#ifdef _WIN32
#define PATHS_ARE_UTF8 1
#else
#define PATHS_ARE_UTF8 0
#endif

int system_processors(void); /* that this process may use */

double system_memory(void); /* bytes that the machine has; without a limit, if that is not known */

/* Does a process of this number run? */
int system_has_process(int id);

/* For writing anew or, if `append`, at the end. NULL: errno tells why. */
FILE *system_open(const char *path, int append);

/* Let what was written reach the disk; and the names in a folder, as far as the file system does that. */
int system_sync(FILE *file);
void system_sync_folder(const char *path);

/* Is there anything but a plain file or a folder by this name: a device, a pipe? */
int system_is_device(const char *path);

/* A file's bytes as memory, to be read only. */
struct mapping {
  void *at;
  size_t bytes;
};
int system_map(const char *path, struct mapping *m);
void system_unmap(const struct mapping *m);

/* A part of it will be read soon: it may be fetched meanwhile. A part has been read, and need not take up the memory of
 * the process; it is fetched again if it is read once more. Both are hints. */
void system_read_ahead(const void *at, size_t bytes);
void system_let_go(const void *at, size_t bytes);

#endif
