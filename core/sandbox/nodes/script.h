/*
 * script: the grammar of the little shell: text to commands, and the expansion of a command's words. Pure.
 */
#ifndef STINT_SANDBOX_SCRIPT_H
#define STINT_SANDBOX_SCRIPT_H

#include <stint/text.h>

enum script_link { SCRIPT_ALWAYS, SCRIPT_AND, SCRIPT_OR }; /* when the command runs, by the status of the one before */
enum script_sink { SCRIPT_OUT = 1, SCRIPT_ERROR = 2, SCRIPT_NOWHERE = 0 };

struct script_command {
	enum script_link link;
	char **words; /* with their quotes; NULL-ended */
	size_t count, capacity;
	enum script_sink out, error; /* where its standard output and standard error go */
};

struct script {
	struct script_command *commands;
	size_t count, capacity;
};

/* False: not in the language; *message says what, owned by the caller. */
bool script_parse(const char *text, struct script *script, char **message);
void script_free(struct script *script); /* the content */
/* A word's value: quotes taken off, variables put in from env (an object of texts) and `status` for $?. Owned by the caller. */
char *script_expand(const char *word, const struct stint_json *env, int status);

#endif
