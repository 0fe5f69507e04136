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

/*  The digits at `at`; -1: one of them is none. */
static int
number (const char *at, int digits)
{
    int value = 0;
    for (int i = 0; i < digits; i++) {
        if (at[i] < '0' || at[i] > '9')
            return -1;
        value = value * 10 + (at[i] - '0');
    }
    return value;
}

static int
month_of (const char *at)
{
    for (int i = 0; i < 12; i++)
        if (memcmp (months + 3 * i, at, 3) == 0)
            return i;
    return -1;
}

time_t
http_date_read (struct http_text text)
{
    static const char form[] = "DDD, 00 MMM 0000 00:00:00 GMT";
    const char *at = text.data;
    if (text.size != HTTP_DATE_SIZE - 1)
        return -1;
    for (size_t i = 0; i < text.size; i++)
        if (form[i] != 'D' && form[i] != 'M' && form[i] != '0' && form[i] != at[i])
            return -1;
    struct tm tm = { .tm_mday = number (at + 5, 2), .tm_mon = month_of (at + 8), .tm_year = number (at + 12, 4) - 1900,
                     .tm_hour = number (at + 17, 2), .tm_min = number (at + 20, 2), .tm_sec = number (at + 23, 2) };
    bool good = tm.tm_mday > 0 && tm.tm_mon >= 0 && tm.tm_year >= -1900 && tm.tm_hour >= 0 && tm.tm_min >= 0
                && tm.tm_sec >= 0 && memcmp (at + 26, "GMT", 3) == 0;
    return good ? timegm (&tm) : -1;
}
