/*  pool_blame.c - why a program could not be started, in words */

#include "patterns/pool_blame.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

#define LINE 256

/*  The interpreter that a script names in its first line; false for none. */
static bool
find_interpreter (const char *path, char *line)
{
    int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t size = fd < 0 ? -1 : read (fd, line, LINE - 1);
    if (fd >= 0)
        close (fd);
    if (size < 3 || line[0] != '#' || line[1] != '!')
        return false;
    line[size] = '\0';
    char *name = line + 2 + strspn (line + 2, " \t");
    size_t length = strcspn (name, " \t\r\n");
    bool returned = name[length] == '\r';
    memmove (line, name, length);
    strcpy (line + length, returned ? "\\r" : "");
    return length > 0;
}

/*  A program with a path: that is what we can look at. */
static int
blame_file (const char *path, int error)
{
    char interpreter[LINE + 2];
    struct stat file;
    if (stat (path, &file))
        return 0;
    if (error == EACCES && S_ISDIR (file.st_mode))
        return error_set (WEFT_EACCES, "%s: is a directory", path);
    if (error == EACCES && !(file.st_mode & 0111))
        return error_set (WEFT_EACCES, "%s: is not executable (chmod +x)", path);
    if (error == ENOENT && find_interpreter (path, interpreter))
        return error_set (WEFT_EINVAL, "%s: its interpreter %s is not there", path, interpreter);
    if (error == ENOENT)
        return error_set (WEFT_EINVAL, "%s: is there, but not the loader that it needs (is it for another system?)",
                          path);
    return 0;
}

int
blame_launch (const struct launch_spec *spec, int error)
{
    int rc = 0;
    if (spec->dir && access (spec->dir, X_OK))
        return error_errno ("cannot run in %s", spec->dir);
    if (error == EAGAIN)
        return error_set (WEFT_ELIMIT, "no more processes are allowed here (ulimit -u, or a limit of the container's)");
    if (*spec->argv[0] == '/' || (strchr (spec->argv[0], '/') && !spec->dir))
        rc = blame_file (spec->argv[0], error);
    errno = error;
    return rc ? rc : error_errno ("%s", spec->argv[0]);
}
