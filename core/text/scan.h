/*
 * Finds the end of a JSON value by its brackets alone, 64 bytes at a time: what the cursor skips and what the splitter frames. Not public.
 */
#ifndef STINT_TEXT_SCAN_H
#define STINT_TEXT_SCAN_H

#include <stdbool.h>

/* Where a scan stands; a piece may end anywhere. Zero-initialise it. */
struct json_scan {
	int depth; /* of brackets that are open */
	bool in_string;
	bool escaped; /* the next byte belongs to an escape */
};

/*
 * Goes on until the bracket that brings depth to 0 is passed, and returns where it ends with *closed true; or to the end with *closed false.
 * It begins within the value or at its opening bracket. Only brackets and strings are looked at.
 */
const char *json_scan_brackets(struct json_scan *scan, const char *at, const char *end, bool *closed);

#endif
