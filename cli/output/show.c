/*
 * show: values as text for people: ages, GPUs, bytes, the width of text, the colour of a state. Pure.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <stint/model.h>

#include "cli/output/output.h"

char *cli_show_age(const char *rfc3339, int64_t now_ms)
{
	int64_t then;
	char text[STINT_TIME_SIZE];
	if (!rfc3339 || !stint_time_parse(rfc3339, strlen(rfc3339), &then))
		return stint_strdup("-");
	/* Clocks differ: what was made in the future was made now. */
	return stint_strdup(stint_duration_format(now_ms > then ? now_ms - then : 0, text));
}

char *cli_show_gpus(double gpus)
{
	char text[STINT_QUANTITY_SIZE];
	return stint_strdup(stint_gpus_format(gpus, text));
}

char *cli_show_bytes(double bytes)
{
	char text[STINT_QUANTITY_SIZE];
	const double bounded = bytes < 9e18 ? bytes : 9e18;
	return stint_strdup(stint_bytes_human((int64_t)bounded, text));
}

char *cli_resource_name(const char *api_version, const char *kind, const char *name)
{
	const char *slash = api_version ? strchr(api_version, '/') : NULL;
	stint_auto_buf text = {0};
	for (const char *at = kind ? kind : ""; *at; at++)
		stint_buf_putc(&text, *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at);
	if (slash)
		stint_buf_printf(&text, ".%.*s", (int)(slash - api_version), api_version);
	stint_buf_printf(&text, "/%s", name ? name : "");
	return stint_buf_steal(&text);
}

const char cli_colour_off[] = "\033[0m";

const char *cli_state_colour(const char *word)
{
	static const struct {
		const char *word, *colour;
	} colours[] = {
		{"Running", "\033[32m"},
		{"Ready", "\033[32m"},
		{"True", "\033[32m"},
		{"Pending", "\033[33m"},
		{"Starting", "\033[33m"},
		{"Suspended", "\033[36m"},
		{"Deleting", "\033[36m"},
		{"Terminating", "\033[36m"},
		{"Succeeded", "\033[2m"},
		{"Completed", "\033[2m"},
		{"Failed", "\033[31m"},
		{"Error", "\033[31m"},
		{"NotReady", "\033[31m"},
		{"Warning", "\033[33m"},
		{"Unschedulable", "\033[33m"},
		{"OOMKilled", "\033[31m"},
		{"Evicted", "\033[31m"},
		{"CrashLoopBackOff", "\033[31m"},
		{"ImagePullBackOff", "\033[31m"},
		{"ErrImagePull", "\033[31m"},
	};
	for (size_t at = 0; at < STINT_COUNT(colours); at++)
		if (strcmp(word, colours[at].word) == 0)
			return colours[at].colour;
	return "";
}

/* The code point that starts at text, of `length` bytes; broken UTF-8 counts byte by byte. */
static uint32_t decode(const unsigned char *text, size_t *length)
{
	static const unsigned char leads[] = {0xC0, 0xE0, 0xF0}, masks[] = {0xE0, 0xF0, 0xF8};
	*length = 1;
	for (size_t extra = 1; extra <= 3; extra++) {
		if ((text[0] & masks[extra - 1]) != leads[extra - 1])
			continue;
		uint32_t point = text[0] & (0xFFu >> (extra + 2));
		for (size_t at = 1; at <= extra; at++) {
			if ((text[at] & 0xC0) != 0x80)
				return text[0];
			point = point << 6 | (text[at] & 0x3Fu);
		}
		*length = extra + 1;
		return point;
	}
	return text[0];
}

/* East Asian wide and emoji blocks take two columns, combining marks none (Unicode TR 11, by block: names here are mostly ASCII). */
static size_t columns_of(uint32_t point)
{
	static const struct {
		uint32_t first, last;
		size_t columns;
	} blocks[] = {
		{0x0300, 0x036F, 0},
		{0x200B, 0x200F, 0},
		{0x20D0, 0x20FF, 0},
		{0xFE00, 0xFE0F, 0},
		{0xFE20, 0xFE2F, 0},
		{0x1100, 0x115F, 2},
		{0x2E80, 0x303E, 2},
		{0x3041, 0xA4CF, 2},
		{0xAC00, 0xD7A3, 2},
		{0xF900, 0xFAFF, 2},
		{0xFE30, 0xFE6F, 2},
		{0xFF00, 0xFF60, 2},
		{0xFFE0, 0xFFE6, 2},
		{0x1F300, 0x1F64F, 2},
		{0x1F900, 0x1F9FF, 2},
		{0x20000, 0x3FFFD, 2},
	};
	for (size_t at = 0; at < STINT_COUNT(blocks); at++)
		if (point >= blocks[at].first && point <= blocks[at].last)
			return blocks[at].columns;
	return 1;
}

size_t cli_text_width(const char *text)
{
	size_t width = 0, length;
	for (const unsigned char *at = (const unsigned char *)text; *at; at += length) {
		const uint32_t point = decode(at, &length);
		width += columns_of(point);
	}
	return width;
}
