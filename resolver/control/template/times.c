/* Reads times in ISO 8601, and writes them in .NET's formats, as far as templates use them. All
 * times are UTC. */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "resolver/control/template/frame.h"
#include "resolver/control/template/functions.h"
#include "resolver/control/template/value.h"
#include "rules/base.h"

#define TIME_USUAL "yyyy-MM-ddTHH:mm:ssZ"
enum { YEAR_MIN = 1, YEAR_MAX = 9999, DAY_S = 24 * 60 * 60 };
static const int64_t FIRST_S = -62135596800, LAST_S = 253402300799; /* of the years 1 to 9999 */

static const char *const month_names[] = {"January",   "February", "March",    "April",
					  "May",       "June",     "July",     "August",
					  "September", "October",  "November", "December"};
static const char *const day_names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
					"Thursday", "Friday", "Saturday"};

/* ---- printing ---- */

/* Prints a run of one of .NET's format letters; false: no such format. */
static bool add_field(struct builder *builder, const struct tm *at, char letter, size_t count)
{
	const char *name = NULL;
	char text[32] = "";
	int hour12 = at->tm_hour % 12 == 0 ? 12 : at->tm_hour % 12, number;
	int width = count < 2 ? 1 : 2;

	switch (letter) {
	case 'y':
		number = count > 2 ? at->tm_year + 1900 : (at->tm_year + 1900) % 100;
		width = count > 2 ? (int)(count < 9 ? count : 9) : width;
		break;
	case 'M':
		number = at->tm_mon + 1;
		name = count > 2 ? month_names[at->tm_mon] : NULL;
		break;
	case 'd':
		number = at->tm_mday;
		name = count > 2 ? day_names[at->tm_wday] : NULL;
		break;
	case 'H': number = at->tm_hour; break;
	case 'h': number = hour12; break;
	case 'm': number = at->tm_min; break;
	case 's': number = at->tm_sec; break;
	case 'f': /* times have whole seconds only */
	case 'F':
		number = 0;
		width = count < 7 ? (int)count : 7;
		if (letter == 'F')
			return true;
		break;
	case 't':
		builder_add(builder, at->tm_hour < 12 ? "AM" : "PM", count < 2 ? 1 : 2);
		return true;
	case 'z':
		builder_add_text(builder, count < 2 ? "+0" : count == 2 ? "+00" : "+00:00");
		return true;
	case 'K': builder_add_text(builder, "Z"); return true;
	default: return false;
	}
	if (name)
		snprintf(text, sizeof text, "%.*s", count == 3 ? 3 : 20, name);
	else
		snprintf(text, sizeof text, "%0*d", width, number);
	builder_add_text(builder, text);
	return true;
}

/* A one-letter format is short for a longer one. */
static const char *long_format(const char *format)
{
	static const struct {
		char letter;
		const char *format;
	} standard[] = {
		{'d', "MM/dd/yyyy"},
		{'D', "dddd, dd MMMM yyyy"},
		{'f', "dddd, dd MMMM yyyy HH:mm"},
		{'F', "dddd, dd MMMM yyyy HH:mm:ss"},
		{'g', "MM/dd/yyyy HH:mm"},
		{'G', "MM/dd/yyyy HH:mm:ss"},
		{'m', "MMMM dd"},
		{'M', "MMMM dd"},
		{'o', "yyyy-MM-ddTHH:mm:ss.fffffffZ"},
		{'O', "yyyy-MM-ddTHH:mm:ss.fffffffZ"},
		{'r', "ddd, dd MMM yyyy HH:mm:ss 'GMT'"},
		{'R', "ddd, dd MMM yyyy HH:mm:ss 'GMT'"},
		{'s', "yyyy-MM-ddTHH:mm:ss"},
		{'t', "HH:mm"},
		{'T', "HH:mm:ss"},
		{'u', "yyyy-MM-dd HH:mm:ssZ"},
		{'y', "yyyy MMMM"},
		{'Y', "yyyy MMMM"},
	};

	for (size_t i = 0; i < COUNT(standard) && strlen(format) == 1; i++)
		if (standard[i].letter == *format)
			return standard[i].format;
	return format;
}

/* Copies a quoted text, 'text' or "text"; returns the position after it. */
static const char *add_quoted(struct builder *builder, const char *at)
{
	const char *end = strchr(at + 1, *at);
	size_t length = end ? (size_t)(end - at) - 1 : strlen(at + 1);

	builder_add(builder, at + 1, length);
	return at + 1 + length + (end != NULL);
}

static json_t *print_time(const struct scope *scope, int64_t at_s, const char *format)
{
	time_t when = (time_t)at_s;
	struct builder builder;
	struct tm parts;
	size_t count;

	if (at_s < FIRST_S || at_s > LAST_S || !gmtime_r(&when, &parts))
		return budget_fail(scope->budget, "%s() makes a time outside of the years %d to %d",
				   scope->budget->function, YEAR_MIN, YEAR_MAX);
	builder_init(&builder, scope->budget);
	for (format = long_format(format); *format != '\0' && !builder.failed;) {
		if (*format == '\'' || *format == '"') {
			format = add_quoted(&builder, format);
			continue;
		}
		if (*format == '\\' && format[1] != '\0') {
			builder_add(&builder, format + 1, 1);
			format += 2;
			continue;
		}
		if (*format == '%')
			format += format[1] != '\0';
		for (count = 1; format[count] == *format;)
			count++;
		if (format[0] != 'Z' && format[0] != 'T' && isalpha((unsigned char)*format)) {
			if (!add_field(&builder, &parts, *format, count))
				builder_add(&builder, format, count);
		} else {
			builder_add(&builder, format, count);
		}
		format += count;
	}
	return builder_finish(&builder);
}

/* ---- parsing ---- */

/* Reads exactly `digits` digits, and moves past them. */
static bool read_digits(const char **at, unsigned digits, int *number)
{
	*number = 0;
	for (; digits > 0; digits--, ++*at) {
		if (!isdigit((unsigned char)**at))
			return false;
		*number = *number * 10 + **at - '0';
	}
	return true;
}

static void skip_char(const char **at, const char *set)
{
	if (**at != '\0' && strchr(set, **at))
		++*at;
}

/* Reads "Z", "+02:00" or nothing. *ahead_s: the seconds ahead of UTC. */
static bool read_zone(const char **at, int64_t *ahead_s)
{
	int hours, minutes, sign = **at == '-' ? -1 : 1;

	*ahead_s = 0;
	skip_char(at, " ");
	sign = **at == '-' ? -1 : sign;
	if (**at == 'Z' || **at == 'z') {
		++*at;
		return true;
	}
	if (**at != '+' && **at != '-')
		return true;
	++*at;
	if (!read_digits(at, 2, &hours))
		return false;
	skip_char(at, ":");
	if (!read_digits(at, 2, &minutes) || minutes > 59)
		return false;
	*ahead_s = sign * (hours * 3600 + minutes * 60);
	return true;
}

/* Reads "2024-02-29T12:30:00.5Z", also without '-' and ':', or a date alone. */
static bool read_time(const char *at, int64_t *at_s)
{
	struct tm parts = {0};
	int64_t ahead_s = 0;
	int day;

	if (!read_digits(&at, 4, &parts.tm_year))
		return false;
	skip_char(&at, "-/");
	if (!read_digits(&at, 2, &parts.tm_mon))
		return false;
	skip_char(&at, "-/");
	if (!read_digits(&at, 2, &parts.tm_mday))
		return false;
	skip_char(&at, "Tt ");
	if (isdigit((unsigned char)*at)) {
		if (!read_digits(&at, 2, &parts.tm_hour))
			return false;
		skip_char(&at, ":");
		if (!read_digits(&at, 2, &parts.tm_min))
			return false;
		skip_char(&at, ":");
		if (isdigit((unsigned char)*at) && !read_digits(&at, 2, &parts.tm_sec))
			return false;
		if (*at == '.')
			at += 1 + strspn(at + 1, "0123456789");
	}
	if (!read_zone(&at, &ahead_s) || *at != '\0' || parts.tm_mon < 1 || parts.tm_mon > 12 ||
	    parts.tm_mday < 1 || parts.tm_mday > 31 || parts.tm_hour > 23 || parts.tm_min > 59 ||
	    parts.tm_sec > 59 || parts.tm_year < YEAR_MIN)
		return false;
	parts.tm_year -= 1900;
	parts.tm_mon--;
	day = parts.tm_mday;
	*at_s = (int64_t)timegm(&parts) - ahead_s;
	return parts.tm_mday == day; /* timegm turns 31 April into 1 May */
}

static bool want_time(const struct scope *scope, json_t **arguments, int64_t *at_s)
{
	const char *text = value_want_text(scope->budget, arguments, 0);

	if (text && !read_time(text, at_s))
		text = budget_fail(scope->budget,
				   "%s() takes a time such as 2024-01-31T12:00:00Z, not '%s'",
				   scope->budget->function, text);
	return text;
}

struct duration {
	int64_t months, seconds; /* each from -FAR to FAR; adding FAR leaves the years 1 to 9999 */
};
static const int64_t FAR = INT64_C(1) << 50;

/* Adds to a part of a duration, whose numbers all have the same sign. */
static void add_to(int64_t *part, int64_t number)
{
	*part += number;
	if (*part > FAR)
		*part = FAR;
	else if (*part < -FAR)
		*part = -FAR;
}

/* Reads an ISO 8601 duration: "P1Y2M3DT4H5M6S", "-PT1H", "P2W". */
static bool read_duration(const char *at, struct duration *duration)
{
	int64_t number, sign = *at == '-' ? -1 : 1;
	bool in_time = false, any = false;

	*duration = (struct duration){0};
	at += *at == '-' || *at == '+';
	if (*at++ != 'P')
		return false;
	for (; *at != '\0'; at++) {
		if (*at == 'T' && !in_time) {
			in_time = true;
			continue;
		}
		if (!isdigit((unsigned char)*at))
			return false;
		for (number = 0; isdigit((unsigned char)*at) && number < INT32_MAX; at++)
			number = number * 10 + *at - '0';
		number *= sign;
		any = true;
		if (in_time && *at == 'H')
			add_to(&duration->seconds, number * 3600);
		else if (in_time && *at == 'M')
			add_to(&duration->seconds, number * 60);
		else if (in_time && *at == 'S')
			add_to(&duration->seconds, number);
		else if (!in_time && *at == 'Y')
			add_to(&duration->months, number * 12);
		else if (!in_time && *at == 'M')
			add_to(&duration->months, number);
		else if (!in_time && *at == 'W')
			add_to(&duration->seconds, number * 7 * DAY_S);
		else if (!in_time && *at == 'D')
			add_to(&duration->seconds, number * DAY_S);
		else
			return false;
	}
	return any;
}

static int days_in(int64_t year, int64_t month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month] + (month == 1 && is_leap);
}

/* A day that the new month lacks becomes the month's last, as in .NET. */
static int64_t add_months(int64_t at_s, int64_t months)
{
	time_t when = (time_t)at_s;
	struct tm parts;
	int64_t month, year;

	if (months == 0 || !gmtime_r(&when, &parts))
		return at_s;
	month = (parts.tm_year + INT64_C(1900)) * 12 + parts.tm_mon + months;
	year = month / 12;
	if (month < 0 || year < YEAR_MIN)
		return FIRST_S - 1;
	if (year > YEAR_MAX)
		return LAST_S + 1;
	month %= 12;
	if (parts.tm_mday > days_in(year, month))
		parts.tm_mday = days_in(year, month);
	parts.tm_year = (int)(year - 1900);
	parts.tm_mon = (int)month;
	return timegm(&parts);
}

/* ---- functions ---- */

static json_t *on_add(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *text = value_want_text(scope->budget, arguments, 1),
		   *format = count > 2 ? value_want_text(scope->budget, arguments, 2) : TIME_USUAL;
	struct duration duration;
	int64_t at_s = 0;

	if (!text || !format || !want_time(scope, arguments, &at_s))
		return NULL;
	if (!read_duration(text, &duration))
		return budget_fail(scope->budget,
				   "dateTimeAdd() takes a duration such as P1DT12H, not '%s'",
				   text);
	return print_time(scope, add_months(at_s, duration.months) + duration.seconds, format);
}

static json_t *on_from_epoch(const struct scope *scope, json_t **arguments, size_t count)
{
	int64_t at_s = 0;

	(void)count;
	return value_want_integer(scope->budget, arguments, 0, &at_s)
		       ? print_time(scope, at_s, TIME_USUAL)
		       : NULL;
}

static json_t *on_to_epoch(const struct scope *scope, json_t **arguments, size_t count)
{
	int64_t at_s = 0;

	(void)count;
	return want_time(scope, arguments, &at_s) ? value_integer(scope->budget, at_s) : NULL;
}

static json_t *on_utc_now(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *format =
		count > 0 ? value_want_text(scope->budget, arguments, 0) : "yyyyMMddTHHmmssZ";

	if (!scope->is_default)
		return budget_fail(scope->budget,
				   "The template function 'utcNow' is not expected at this "
				   "location: it stands in the default value of a parameter only");
	return format ? print_time(scope, frame_now_s(scope->frame), format) : NULL;
}

const struct function time_functions[] = {
	{"dateTimeAdd", 2, 3, .call = on_add},
	{"dateTimeFromEpoch", 1, 1, .call = on_from_epoch},
	{"dateTimeToEpoch", 1, 1, .call = on_to_epoch},
	{"utcNow", 0, 1, .call = on_utc_now},
	{.name = NULL},
};
