/*  http_date.c - HTTP/1.1: times as HTTP writes them (RFC 9110, 5.6.7) */

#include <stdio.h>
#include <string.h>

#include "codec/http.h"

static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void
http_date_write (time_t when, char *text)
{
    struct tm tm;
    char room[80];                      /*  for what no number of these is: the compiler does not know that */
    gmtime_r (&when, &tm);
    snprintf (room, sizeof room, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday, tm.tm_mday,
              months + 3 * tm.tm_mon, (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min, tm.tm_sec);
    room[HTTP_DATE_SIZE - 1] = '\0';
    memcpy (text, room, HTTP_DATE_SIZE);
}

time_t
http_date_read (struct http_text text)
{
    char copy[HTTP_DATE_SIZE], month[4], zone[4];
    struct tm tm = { .tm_isdst = 0 };
    int end = 0;
    if (text.size != HTTP_DATE_SIZE - 1)
        return -1;
    memcpy (copy, text.data, text.size);
    copy[text.size] = '\0';
    if (sscanf (copy + 3, ", %2d %3s %4d %2d:%2d:%2d %3s%n", &tm.tm_mday, month, &tm.tm_year, &tm.tm_hour, &tm.tm_min,
                &tm.tm_sec, zone, &end) != 7 || end != HTTP_DATE_SIZE - 4 || strcmp (zone, "GMT") != 0)
        return -1;
    const char *found = strstr (months, month);
    if (!found || strlen (month) != 3 || (found - months) % 3)
        return -1;
    tm.tm_mon = (int) (found - months) / 3;
    tm.tm_year -= 1900;
    return timegm (&tm);
}
