/*
 * suggest: which word was meant by one that nobody knows. Pure; the cost is the product of both lengths, and words are short.
 */
#include <stint/base.h>

#include <string.h>

enum { LONGEST_WORD = 32 };

/*
 * Edit distance where exchanging two neighbours is one error (restricted Damerau-Levenshtein); SIZE_MAX for words too long to be typing
 * errors.
 */
static size_t distance_between(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t rows[3][LONGEST_WORD + 1];
	if (a_length > LONGEST_WORD || b_length > LONGEST_WORD)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *now = rows[i % 3];
		const size_t *before = rows[(i - 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t best = before[j - 1] + (a[i - 1] != b[j - 1]);
			if (before[j] + 1 < best)
				best = before[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && rows[(i - 2) % 3][j - 2] + 1 < best)
				best = rows[(i - 2) % 3][j - 2] + 1;
			now[j] = best;
		}
	}
	return rows[a_length % 3][b_length];
}

void stint_suggest(struct stint_suggestion *suggestion, const char *candidate)
{
	const size_t length = strlen(candidate);
	const size_t word_length = strlen(suggestion->word);
	const size_t allowed = word_length < 3 ? 0 : word_length < 5 ? 1 : 2;
	size_t distance = distance_between(suggestion->word, word_length, candidate, length);
	/* What was begun and not finished is as good as one error. */
	if (word_length >= 3 && length > word_length && memcmp(candidate, suggestion->word, word_length) == 0 && distance > 1)
		distance = 1;
	if (distance > allowed || (suggestion->best && distance >= suggestion->distance))
		return;
	suggestion->best = candidate;
	suggestion->distance = distance;
}
