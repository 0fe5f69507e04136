/*  folder.h - a folder of a test's own, in TMPDIR, one at a time */
#ifndef WEFT_TESTS_FOLDER_H
#define WEFT_TESTS_FOLDER_H

#define FOLDER_SIZE 48

/*  A new one; `path` (or NULL) gets where. 0. */
int folder_make (char path[FOLDER_SIZE]);

/*  With all that is in it; or only where it is empty (else not 0). */
int folder_remove (void);
int folder_remove_empty (void);

/*  The same as fixtures of cmocka's, where nothing else is to be made. */
int folder_setup (void **state);
int folder_teardown (void **state);

/*  A path in it: good for eight calls of the thread. */
const char *folder_path (const char *name);

void folder_write (const char *name, const char *text, unsigned mode);

#endif
