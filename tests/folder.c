/*  folder.c - a folder of a test's own, in TMPDIR, one at a time */

#include "tests/folder.h"

#include <ftw.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/testing.h"

#define NAME "weft-test-XXXXXX"

static char folder[FOLDER_SIZE];

/*  A path of ipc has little room, so what is long is not used. */
int
folder_make (char path[FOLDER_SIZE])
{
    const char *root = getenv ("TMPDIR");
    bool fits = root && *root && strlen (root) < sizeof folder - sizeof NAME;
    snprintf (folder, sizeof folder, "%s/" NAME, fits ? root : "/tmp");
    if (!mkdtemp (folder))
        return -1;
    if (path)
        strcpy (path, folder);
    return 0;
}

static int
remove_one (const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void) status, (void) kind, (void) place;
    return remove (path);
}

int
folder_remove (void)
{
    return nftw (folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int
folder_remove_empty (void)
{
    return rmdir (folder);
}

int
folder_setup (void **state)
{
    (void) state;
    return folder_make (NULL);
}

int
folder_teardown (void **state)
{
    (void) state;
    return folder_remove ();
}

const char *
folder_path (const char *name)
{
    static _Thread_local char paths[8][256];
    static _Thread_local unsigned at;
    char *path = paths[at++ % 8];
    snprintf (path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

void
folder_write (const char *name, const char *text, unsigned mode)
{
    FILE *file = fopen (folder_path (name), "w");
    assert_non_null (file);
    assert_int_equal (fputs (text, file) < 0, 0);
    assert_int_equal (fclose (file), 0);
    assert_int_equal (chmod (folder_path (name), mode), 0);
}
