/*
 * check: see check.h. Pure functions over text; the rules are those of the API server (validation of labels, quantities, tolerations), so
 * that a mistake is told before anything is created.
 */
#include "check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEVICES = 1024, LONGEST_LABEL = 63, LONGEST_PREFIX = 253 };

void checked_pair_free(struct checked_pair *pair)
{
	free(pair->key);
	free(pair->value);
	*pair = (struct checked_pair){0};
}

bool check_whole(const char *flag, const char *text, int64_t low, int64_t high, int64_t *out, struct stint_error **err)
{
	if (stint_parse_int(text, low, high, out))
		return true;
	return stint_fail(
		err, STINT_USAGE, "%s must be a whole number from %lld to %lld: got \"%s\"", flag, (long long)low, (long long)high, text);
}

bool check_seconds(const char *flag, const char *text, int64_t *seconds, struct stint_error **err)
{
	int64_t ms;
	if (stint_duration_lacks_unit(text))
		return stint_fail(err, STINT_USAGE, "%s needs a unit: say %s %sh for hours, %sm for minutes or %ss for seconds", flag, flag,
			text, text, text);
	if (!stint_duration_parse(text, &ms))
		return stint_fail(err, STINT_USAGE, "%s must be a duration such as 90s, 4h or 2d: got \"%s\"", flag, text);
	*seconds = (ms + 999) / 1000;
	if (*seconds < 1 || *seconds > INT32_MAX)
		return stint_fail(err, STINT_USAGE, "%s must be between one second and 24855 days: got \"%s\"", flag, text);
	return true;
}

bool check_quantity(const char *flag, const char *text, bool bytes, struct stint_error **err)
{
	int64_t amount;
	const char *example = bytes ? "512Mi or 64Gi" : "4 or 500m";
	if (!stint_quantity_parse(stint_slice_of(text), bytes ? STINT_UNIT_ONE : STINT_UNIT_MILLI, &amount))
		return stint_fail(err, STINT_USAGE, "%s must be a quantity such as %s: got \"%s\"", flag, example, text);
	if (amount <= 0 || amount == INT64_MAX)
		return stint_fail(err, STINT_USAGE, "%s must be more than nothing and less than everything, such as %s: got \"%s\"", flag,
			example, text);
	return true;
}

/* ---- GPUs ------------------------------------------------------------------------------------------------------------------------ */

static bool check_gpu_memory(const char *text, struct checked_gpu *gpu, struct stint_error **err)
{
	int64_t bytes;
	if (!stint_quantity_parse(stint_slice_of(text), STINT_UNIT_ONE, &bytes))
		return stint_fail(err, STINT_USAGE, "--gpu-memory must be a size such as 10Gi: got \"%s\"", text);
	const int64_t mib = 1024 * 1024;
	if (bytes < mib || bytes > (int64_t)1024 * 1024 * mib)
		return stint_fail(err, STINT_USAGE, "--gpu-memory must be between 1Mi and 1Ti of one device: got \"%s\"", text);
	gpu->kind = STINT_GPU_MEMORY;
	gpu->memory_mib = (bytes + mib - 1) / mib;
	return true;
}

static bool check_gpu_number(const char *text, struct checked_gpu *gpu, struct stint_error **err)
{
	double number;
	if (!stint_parse_double(text, -1e9, 1e9, &number))
		return stint_fail(
			err, STINT_USAGE, "-g must be a number of GPUs, such as 2, or a part of one, such as 0.5: got \"%s\"", text);
	if (number <= 0)
		return stint_fail(err, STINT_USAGE, "-g must be more than 0: got %s. A workload without GPUs says no -g", text);
	const int64_t whole = (int64_t)number;
	if (number < 1) {
		if (number < 0.001)
			return stint_fail(err, STINT_USAGE, "-g must be at least 0.001 of a GPU: got %s", text);
		char portion[32];
		snprintf(portion, sizeof portion, "%.6f", number);
		if (portion[0] == '1')
			return stint_fail(err, STINT_USAGE, "-g must be at most 0.999999 or a whole GPU: got %s", text);
		for (char *end = portion + strlen(portion) - 1; *end == '0'; end--)
			*end = '\0';
		gpu->kind = STINT_GPU_FRACTION;
		gpu->portion = stint_strdup(portion);
		return true;
	}
	if ((double)whole < number)
		return stint_fail(err, STINT_USAGE,
			"-g must be a whole number or less than 1: got %s. For parts of several devices say -g 0.5 --devices 2", text);
	if (whole > MOST_DEVICES)
		return stint_fail(err, STINT_USAGE, "-g must be at most %d, the devices of one pod: got %s. For more pods say --workers",
			MOST_DEVICES, text);
	gpu->kind = STINT_GPU_WHOLE;
	gpu->devices = whole;
	return true;
}

bool check_gpu(const struct stint_submission *submission, struct checked_gpu *gpu, struct stint_error **err)
{
	*gpu = (struct checked_gpu){.kind = STINT_GPU_NONE, .devices = 1};
	if (submission->gpus && submission->gpu_memory)
		return stint_fail(err, STINT_USAGE, "-g and --gpu-memory both say how much of a GPU: give one of them");
	if (submission->gpu_memory && !check_gpu_memory(submission->gpu_memory, gpu, err))
		return false;
	if (submission->gpus && !check_gpu_number(submission->gpus, gpu, err))
		return false;
	if (!submission->devices)
		return true;
	if (gpu->kind != STINT_GPU_FRACTION && gpu->kind != STINT_GPU_MEMORY)
		return stint_fail(
			err, STINT_USAGE, "--devices tells of how many devices a part is taken: give -g below 1 or --gpu-memory with it");
	return check_whole("--devices", submission->devices, 1, MOST_DEVICES, &gpu->devices, err);
}

/* ---- images, variables, labels, tolerations ---------------------------------------------------------------------------------------- */

bool check_image(const char *image, struct stint_error **err)
{
	if (!image || !*image)
		return stint_fail(err, STINT_USAGE, "the workload has no image: give one with -i");
	for (const char *at = image; *at; at++)
		if (!isgraph((unsigned char)*at)) {
			stint_autofree char *shown = stint_format("%.80s", image);
			stint_sanitize(shown);
			return stint_fail(
				err, STINT_USAGE, "-i \"%s\" is no image: a reference has no blanks and no control characters", shown);
		}
	return strlen(image) <= 1024 ||
		stint_fail(err, STINT_USAGE, "-i has %zu characters: no image reference is that long", strlen(image));
}

/* Cuts "key=value"; without = it is an error. */
static bool cut(const char *flag, const char *text, struct checked_pair *out, struct stint_error **err)
{
	const char *equals = strchr(text, '=');
	if (!equals || equals == text)
		return stint_fail(err, STINT_USAGE, "%s must be KEY=VALUE: got \"%s\"", flag, text);
	out->key = stint_strndup(text, (size_t)(equals - text));
	out->value = stint_strdup(equals + 1);
	return true;
}

bool check_variable(const char *text, struct checked_pair *out, struct stint_error **err)
{
	if (!cut("--env", text, out, err))
		return false;
	for (const char *at = out->key; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("_.-", *at))
			return stint_fail(
				err, STINT_USAGE, "--env \"%s\" has no name for a variable: use letters, digits, and _ . -", out->key);
	if (isdigit((unsigned char)*out->key))
		return stint_fail(err, STINT_USAGE, "--env \"%s\" has no name for a variable: it begins with a digit", out->key);
	return true;
}

/* A label's value or the name part of its key: letters, digits, - _ . and a letter or digit at both ends. */
static bool is_qualified(const char *text, size_t length)
{
	for (size_t at = 0; at < length; at++)
		if (!isalnum((unsigned char)text[at]) &&
			!((text[at] == '-' || text[at] == '_' || text[at] == '.') && at > 0 && at + 1 < length))
			return false;
	return length <= LONGEST_LABEL;
}

static bool is_prefix(const char *text, size_t length)
{
	for (size_t at = 0; at < length; at++)
		if (!islower((unsigned char)text[at]) && !isdigit((unsigned char)text[at]) && text[at] != '-' && text[at] != '.')
			return false;
	return length > 0 && length <= LONGEST_PREFIX;
}

bool check_key(const char *key)
{
	const char *slash = strchr(key, '/');
	if (slash && !is_prefix(key, (size_t)(slash - key)))
		return false;
	const char *name = slash ? slash + 1 : key;
	return *name && is_qualified(name, strlen(name));
}

/* Keys that submit writes itself, and what to say in their place. */
static bool check_owned_key(const char *key, struct stint_error **err)
{
	static const struct {
		const char *key, *flag;
	} owned[] = {
		{"gpu-fraction", "-g"},
		{"gpu-memory", "--gpu-memory"},
		{"gpu-fraction-num-devices", "--devices"},
		{STINT_ANNOTATION_TIME, "--time"},
		{STINT_ANNOTATION_NODE_POOLS, "--node-pools"},
		{STINT_LABEL_QUEUE, "-p"},
		{STINT_LABEL_PREEMPTIBILITY, "--preemptible"},
		{"kai.scheduler/batch-min-member", "--workers"},
		{SEGMENT_SIZE, "--segment-size"},
		{SEGMENT_LEVEL, "--segment-topology"},
		{STINT_LABEL_TYPE, "a type"},
		{"stint.dev/workload", "the name"},
	};
	for (size_t at = 0; at < STINT_COUNT(owned); at++)
		if (strcmp(key, owned[at].key) == 0)
			return stint_fail(err, STINT_USAGE, "\"%s\" is written by submit: say it with %s", key, owned[at].flag);
	return true;
}

bool check_label(const char *what, const char *text, struct checked_pair *out, struct stint_error **err)
{
	stint_autofree char *flag = stint_format("--%s", what);
	if (!cut(flag, text, out, err))
		return false;
	if (!check_key(out->key))
		return stint_fail(err, STINT_USAGE,
			"%s \"%s\" has no valid key: at most 63 letters, digits, and - _ . with an optional domain/ before them", flag,
			out->key);
	if (strcmp(what, "annotation") != 0 && !is_qualified(out->value, strlen(out->value)))
		return stint_fail(err, STINT_USAGE,
			"%s \"%s\" has no valid value: at most 63 letters, digits, and - _ . with a letter or digit at both ends", flag,
			text);
	return strcmp(what, "node-selector") == 0 || check_owned_key(out->key, err);
}

char *check_pools(const char *flag, const char *text, size_t *count, struct stint_error **err)
{
	enum { MOST_POOLS = 32 }; /* as many as the scheduler looks at */
	char **words = stint_split(text, ", ");
	stint_auto_buf list = {0};
	size_t at = 0;
	while (words[at] && is_qualified(words[at], strlen(words[at])) && at < MOST_POOLS) {
		stint_buf_printf(&list, "%s%s", at ? "," : "", words[at]);
		at++;
	}
	const bool fine = at > 0 && !words[at];
	stint_strings_free(words);
	*count = at;
	if (fine)
		return stint_buf_steal(&list);
	stint_fail(err, STINT_USAGE, "%s must be POOL[,POOL...], as h100,a100, at most %d of them: got \"%s\"", flag, MOST_POOLS, text);
	return NULL;
}

struct stint_json *check_toleration(const char *text, struct stint_error **err)
{
	static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute"};
	const char *colon = strrchr(text, ':');
	stint_autofree char *head = stint_strndup(text, colon ? (size_t)(colon - text) : strlen(text));
	char *value = strchr(head, '=');
	if (value)
		*value++ = '\0';
	bool known = !colon;
	for (size_t at = 0; colon && at < STINT_COUNT(effects); at++)
		known |= strcmp(colon + 1, effects[at]) == 0;
	if (!known)
		stint_fail(err, STINT_USAGE,
			"--toleration \"%s\" has no effect \"%s\": there are NoSchedule, PreferNoSchedule and NoExecute", text, colon + 1);
	else if (!check_key(head) || (value && !is_qualified(value, strlen(value))))
		stint_fail(err, STINT_USAGE, "--toleration must be KEY[=VALUE][:EFFECT], as nvidia.com/gpu:NoSchedule: got \"%s\"", text);
	else {
		struct stint_json *toleration = stint_json_new_object();
		stint_json_set_string(toleration, "key", head);
		stint_json_set_string(toleration, "operator", value ? "Equal" : "Exists");
		if (value)
			stint_json_set_string(toleration, "value", value);
		if (colon)
			stint_json_set_string(toleration, "effect", colon + 1);
		return toleration;
	}
	return NULL;
}
