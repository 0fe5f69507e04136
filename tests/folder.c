/*  folder.c - a folder of a test's own, for files whose modes matter */

#include "tests/folder.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/testing.h"

static char folder[64];

int
folder_make (char *path)
{
    strcpy (folder, "/tmp/weft-test-XXXXXX");
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
