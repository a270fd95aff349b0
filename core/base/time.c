/*
 * Time: clocks, RFC 3339 as Kubernetes writes it, durations. The calendar is computed here, in UTC and without the C library's time
 * zone state, so that it is pure and fast. Civil-from-days as in Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <stint/base.h>

static int64_t clock_us(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t stint_now_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

int64_t stint_now_ms(void)
{
	return stint_now_us() / 1000;
}

int64_t stint_monotonic_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

int64_t stint_monotonic_ms(void)
{
	return stint_monotonic_us() / 1000;
}

static int64_t floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
	year -= month <= 2;
	int64_t era = floor_divide(year, 400), year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void civil_from_days(int64_t days, int *year, int *month, int *day)
{
	days += 719468;
	int64_t era = floor_divide(days, 146097), day_of_era = days - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted = (5 * day_of_year + 2) / 153;
	*day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
	*month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
	*year = (int)(year_of_era + era * 400 + (*month <= 2));
}

/* Years 0 to 9999: what RFC 3339 can say. */
static const int64_t first_us = -62167219200LL * 1000000, last_us = 253402300799LL * 1000000 + 999999;

static void format(int64_t us, bool micro, char out[static STINT_TIME_SIZE])
{
	us = us < first_us ? first_us : us > last_us ? last_us : us;
	int64_t seconds = floor_divide(us, 1000000), days = floor_divide(seconds, 86400);
	unsigned int second_of_day = (unsigned int)(seconds - days * 86400), fraction = (unsigned int)(us - seconds * 1000000);
	int year, month, day;
	civil_from_days(days, &year, &month, &day);
	int length = snprintf(out, STINT_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u", (unsigned int)year % 10000, (unsigned int)month % 100,
		(unsigned int)day % 100, second_of_day / 3600 % 100, second_of_day / 60 % 60, second_of_day % 60);
	if (micro)
		length += snprintf(out + length, STINT_TIME_SIZE - (size_t)length, ".%06u", fraction % 1000000);
	out[length] = 'Z';
	out[length + 1] = '\0';
}

char *stint_time_format(int64_t ms, char out[static STINT_TIME_SIZE])
{
	ms = ms < first_us / 1000 ? first_us / 1000 : ms > last_us / 1000 ? last_us / 1000 : ms;
	format(ms * 1000, false, out);
	return out;
}

char *stint_time_format_micro(int64_t us, char out[static STINT_TIME_SIZE])
{
	format(us, true, out);
	return out;
}

/* Reads exactly `digits` digits at *at. */
static bool take_digits(const char **at, const char *end, int digits, int low, int high, int *out)
{
	int value = 0;
	for (int i = 0; i < digits; i++) {
		if (*at >= end || **at < '0' || **at > '9')
			return false;
		value = value * 10 + (*(*at)++ - '0');
	}
	*out = value;
	return value >= low && value <= high;
}

/* wanted: a sign, or a small letter, for which the capital is taken too. */
static bool take(const char **at, const char *end, char wanted)
{
	const bool letter = wanted >= 'a' && wanted <= 'z';
	if (*at >= end || (letter ? **at | 0x20 : **at) != wanted)
		return false;
	(*at)++;
	return true;
}

static bool take_offset(const char **at, const char *end, int *minutes)
{
	*minutes = 0;
	if (take(at, end, 'z'))
		return true;
	if (*at >= end || (**at != '+' && **at != '-'))
		return false;
	int sign = *(*at)++ == '-' ? -1 : 1, hours, rest;
	if (!take_digits(at, end, 2, 0, 23, &hours) || !take(at, end, ':') || !take_digits(at, end, 2, 0, 59, &rest))
		return false;
	*minutes = sign * (hours * 60 + rest);
	return true;
}

bool stint_time_parse_micro(const char *text, size_t length, int64_t *us)
{
	if (!text)
		return false;
	const char *at = text, *end = text + length;
	int year, month, day, hour, minute, second, offset;
	if (!take_digits(&at, end, 4, 0, 9999, &year) || !take(&at, end, '-') || !take_digits(&at, end, 2, 1, 12, &month) ||
		!take(&at, end, '-') || !take_digits(&at, end, 2, 1, 31, &day) || !take(&at, end, 't') ||
		!take_digits(&at, end, 2, 0, 23, &hour) || !take(&at, end, ':') || !take_digits(&at, end, 2, 0, 59, &minute) ||
		!take(&at, end, ':') || !take_digits(&at, end, 2, 0, 60, &second))
		return false;
	int64_t fraction = 0;
	if (at < end && *at == '.') {
		int64_t unit = 100000;
		const char *digits = ++at;
		for (; at < end && *at >= '0' && *at <= '9'; at++, unit /= 10)
			fraction += unit * (*at - '0');
		if (at == digits)
			return false;
	}
	if (!take_offset(&at, end, &offset) || at != end)
		return false;
	int64_t days = days_from_civil(year, month, day);
	int month_of_day, day_of_month;
	civil_from_days(days, &year, &month_of_day, &day_of_month);
	if (day_of_month != day)
		return false; /* the month has no such day */
	int64_t seconds = days * 86400 + hour * 3600 + minute * 60 + second - (int64_t)offset * 60;
	*us = seconds * 1000000 + fraction;
	return true;
}

bool stint_time_parse(const char *text, size_t length, int64_t *ms)
{
	int64_t us;
	if (!stint_time_parse_micro(text, length, &us))
		return false;
	*ms = floor_divide(us, 1000);
	return true;
}

static const struct {
	const char *name;
	double ms;
} units[] = {{"ms", 1}, {"us", 0.001}, {"ns", 0.000001}, {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}};

bool stint_duration_parse(const char *text, int64_t *ms)
{
	const double most = 9e15; /* well within an int64, about 285,000 years */
	double total = 0;
	const char *at = text ? text : "";
	if (*at == '\0')
		return false;
	while (*at) {
		size_t length = strspn(at, "0123456789.");
		stint_autofree char *number = stint_strndup(at, length);
		double value, unit = 0;
		if (!stint_parse_double(number, 0, most, &value))
			return false;
		at += length;
		if (*at == '\0' && number[0] != '\0' && total == 0 && at == text + length)
			unit = 1000;
		for (size_t i = 0; unit == 0 && i < STINT_COUNT(units); i++) {
			if (stint_starts_with(at, units[i].name)) {
				unit = units[i].ms;
				at += strlen(units[i].name);
			}
		}
		if (unit == 0)
			return false;
		total += value * unit;
	}
	if (total > most)
		return false;
	*ms = (int64_t)(total + 0.5);
	return true;
}

bool stint_duration_lacks_unit(const char *text)
{
	return text[strspn(text, "0123456789.")] == '\0' && text[strspn(text, "0.")] != '\0';
}

char *stint_duration_format(int64_t ms, char out[static STINT_TIME_SIZE])
{
	long long seconds = ms > 0 ? ms / 1000 : 0, minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
	/* Two units while the larger one is small, as kubectl counts. */
	if (seconds < 120)
		snprintf(out, STINT_TIME_SIZE, "%llds", seconds);
	else if (minutes < 10 && seconds % 60)
		snprintf(out, STINT_TIME_SIZE, "%lldm%llds", minutes, seconds % 60);
	else if (minutes < 180)
		snprintf(out, STINT_TIME_SIZE, "%lldm", minutes);
	else if (hours < 8 && minutes % 60)
		snprintf(out, STINT_TIME_SIZE, "%lldh%lldm", hours, minutes % 60);
	else if (hours < 48)
		snprintf(out, STINT_TIME_SIZE, "%lldh", hours);
	else if (days < 8 && hours % 24)
		snprintf(out, STINT_TIME_SIZE, "%lldd%lldh", days, hours % 24);
	else if (days < 2 * 365)
		snprintf(out, STINT_TIME_SIZE, "%lldd", days);
	else if (days < 8 * 365 && days % 365)
		snprintf(out, STINT_TIME_SIZE, "%lldy%lldd", days / 365, days % 365);
	else
		snprintf(out, STINT_TIME_SIZE, "%lldy", days / 365);
	return out;
}
