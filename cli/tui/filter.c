/*
 * filter: see filter.h. Pure.
 */
#include "cli/tui/filter.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_WORDS = 16 };

struct word {
	char *key; /* NULL: a plain word */
	char *value;
	bool not_;
};
struct tui_filter {
	struct word words[MOST_WORDS];
	size_t count;
	struct stint_label_selector *selector;
};

void tui_filter_free(struct tui_filter *filter)
{
	if (!filter)
		return;
	for (size_t at = 0; at < filter->count; at++) {
		free(filter->words[at].key);
		free(filter->words[at].value);
	}
	stint_label_selector_free(filter->selector);
	free(filter);
}

static void add_word(struct tui_filter *filter, const char *text)
{
	struct word *word = &filter->words[filter->count++];
	word->not_ = *text == '!' && text[1];
	text += word->not_;
	const char *equals = strchr(text, '=');
	if (!equals || equals == text) {
		word->value = stint_strdup(text);
		return;
	}
	const bool differs = equals[-1] == '!';
	word->not_ ^= differs;
	word->key = stint_strndup(text, (size_t)(equals - text) - differs);
	word->value = stint_strdup(equals + 1 + (equals[1] == '='));
}

struct tui_filter *tui_filter_parse(const char *text, struct stint_error **err)
{
	const char *selector = stint_starts_with(text, "-l ") ? text : strstr(text, " -l ");
	stint_autofree char *front = stint_strndup(text, selector ? (size_t)(selector - text) : strlen(text));
	struct tui_filter *filter = stint_alloc(sizeof *filter);
	char **words = stint_split(front, " ");
	bool fine = true;
	for (size_t at = 0; words[at] && fine; at++) {
		if (filter->count == MOST_WORDS)
			fine = stint_fail(err, STINT_USAGE, "a filter has at most %d words", MOST_WORDS);
		else
			add_word(filter, words[at]);
	}
	stint_strings_free(words);
	if (fine && selector) {
		selector = strstr(selector, "-l ") + 3;
		filter->selector = stint_label_selector_parse(selector + strspn(selector, " "), err);
		fine = filter->selector != NULL;
	}
	if (fine && (filter->count || filter->selector))
		return filter;
	tui_filter_free(filter);
	return NULL;
}

static bool matches_word(const struct word *word, const struct tui_filter_row *row)
{
	const char *text;
	for (size_t at = 0; row->field(row, at, &text); at++) {
		if (text && strcasestr(text, word->value))
			return true;
	}
	return false;
}

static bool matches_key(const struct word *word, const struct tui_filter_row *row)
{
	char shown[256];
	if (row->column(row, word->key, shown, sizeof shown))
		return *word->value ? strcasestr(shown, word->value) != NULL : !*shown;
	const struct stint_pairs *labels = row->labels ? row->labels(row->item) : NULL;
	const char *value = labels ? stint_pairs_get(labels, word->key) : NULL;
	return value && strcmp(value, word->value) == 0;
}

bool tui_filter_match(const struct tui_filter *filter, const struct tui_filter_row *row)
{
	for (size_t at = 0; filter && at < filter->count; at++) {
		const struct word *word = &filter->words[at];
		const bool matches = word->key ? matches_key(word, row) : matches_word(word, row);
		if (matches == word->not_)
			return false;
	}
	if (!filter || !filter->selector)
		return true;
	static const struct stint_pairs none;
	const struct stint_pairs *labels = row->labels ? row->labels(row->item) : NULL;
	return stint_label_selector_match(filter->selector, labels ? labels : &none);
}

const char *tui_filter_key(const struct tui_filter *filter, size_t index)
{
	for (size_t at = 0; at < filter->count; at++) {
		if (filter->words[at].key && index-- == 0)
			return filter->words[at].key;
	}
	return NULL;
}

char tui_filter_sign(const struct tui_filter *filter)
{
	for (size_t at = 0; at < filter->count; at++) {
		const char *texts[] = {filter->words[at].key, filter->words[at].value};
		for (size_t i = 0; i < STINT_COUNT(texts); i++) {
			const char *sign = texts[i] ? strpbrk(texts[i], "<>*") : NULL;
			if (sign)
				return *sign;
		}
	}
	return '\0';
}
