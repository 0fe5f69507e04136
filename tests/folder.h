/*  folder.h - a folder of a test's own, for files whose modes matter */
#ifndef WEFT_TESTS_FOLDER_H
#define WEFT_TESTS_FOLDER_H

/*  A new one; `path` (64 bytes, or NULL) gets where. 0. */
int folder_make (char *path);

/*  With all that is in it. */
int folder_remove (void);

/*  A path in it: good for eight calls of the thread. */
const char *folder_path (const char *name);

void folder_write (const char *name, const char *text, unsigned mode);

#endif
