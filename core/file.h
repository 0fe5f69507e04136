/*  file.h - small files that must be whole, and in the right hands */
#ifndef WEFT_CORE_FILE_H
#define WEFT_CORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "core/buffer.h"

/*  Adds all of a regular file to `data`, and gives what fstat said before. WEFT_ETOOBIG (over `limit`, unread),
 *  WEFT_EINVAL (no regular file), WEFT_EACCES, WEFT_EIO; errno is kept: ENOENT when it is not there. */
int file_read (const char *path, size_t limit, struct buffer *data, struct stat *status);

/*  WEFT_EACCES when the file is neither ours nor root's, or its mode has one of the bits in `forbidden` (of group and
 *  others); the words begin with the path and say chmod. */
int file_trust (const char *path, const struct stat *status, mode_t forbidden);

/*  Writes a temporary name beside it (.NAME.XXXXXX), fsyncs it, renames it, fsyncs the directory: at any moment the
 *  file is whole or not there. `mode` whatever the umask; `group`: its group, or -1. A symbolic link stays one.
 *  Without `replace`, WEFT_ESTATE when something is there already. */
int file_save (const char *path, const struct buffer *data, mode_t mode, gid_t group, bool replace);

/*  Overwrites the whole of a buffer that held a secret, and frees it. */
void file_forget (struct buffer *data);

#endif
