/*
 * names: the words for types and phases, and the rules for names. Pure.
 */
#include <string.h>
#include <strings.h>

#include <stint/workload.h>

static const struct {
	const char *name, *priority;
} types[] = {
	[STINT_TRAINING] = {"training", "train"},
	[STINT_WORKSPACE] = {"workspace", "build"},
	[STINT_INFERENCE] = {"inference", "inference"},
};

const char *stint_workload_type_name(enum stint_workload_type type)
{
	return types[type].name;
}

const char *stint_workload_type_priority(enum stint_workload_type type)
{
	return types[type].priority;
}

bool stint_workload_type_parse(const char *word, enum stint_workload_type *type)
{
	for (size_t at = 0; at < STINT_COUNT(types); at++) {
		if (strcmp(word, types[at].name) == 0 || (at == STINT_TRAINING && strcmp(word, "train") == 0)) {
			*type = (enum stint_workload_type)at;
			return true;
		}
	}
	return false;
}

static const char *const phases[STINT_WORKLOAD_PHASES] = {
	[STINT_WORKLOAD_PENDING] = "Pending",
	[STINT_WORKLOAD_STARTING] = "Starting",
	[STINT_WORKLOAD_RUNNING] = "Running",
	[STINT_WORKLOAD_SUSPENDED] = "Suspended",
	[STINT_WORKLOAD_SUCCEEDED] = "Succeeded",
	[STINT_WORKLOAD_FAILED] = "Failed",
	[STINT_WORKLOAD_DELETING] = "Deleting",
};

const char *stint_workload_phase_name(enum stint_workload_phase phase)
{
	return phases[phase];
}

bool stint_workload_phase_parse(const char *word, enum stint_workload_phase *phase)
{
	for (size_t at = 0; at < STINT_COUNT(phases); at++) {
		if (strcasecmp(word, phases[at]) == 0) {
			*phase = (enum stint_workload_phase)at;
			return true;
		}
	}
	return false;
}

/* What is wrong may be endless. */
enum { LONGEST_SHOWN = 80 };

bool stint_name_check(const char *what, const char *name, size_t longest, struct stint_error **err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	const size_t length = name ? strlen(name) : 0;
	if (length == 0)
		return stint_fail(err, STINT_USAGE, "the %s has no name: give one of lower-case letters, digits and dashes", what);
	stint_autofree char *shown = stint_strndup(name, length < LONGEST_SHOWN ? length : LONGEST_SHOWN);
	stint_sanitize(shown);
	if (strspn(name, allowed) != length)
		return stint_fail(
			err, STINT_USAGE, "\"%s\" cannot name a %s: use lower-case letters, digits and dashes alone", shown, what);
	if (name[0] == '-' || name[length - 1] == '-')
		return stint_fail(err, STINT_USAGE, "\"%s\" cannot name a %s: begin and end with a letter or digit", shown, what);
	if (length > longest)
		return stint_fail(err, STINT_USAGE, "\"%s%s\" cannot name a %s: it has %zu characters, and %zu is the most", shown,
			length > LONGEST_SHOWN ? "..." : "", what, length, longest);
	return true;
}
