/*
 * script: see script.h. One pass over the text; words keep their quotes until they are expanded, because $? changes on the way.
 */
#include "core/sandbox/nodes/script.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void command_free(struct script_command *command)
{
	for (size_t i = 0; i < command->count; i++)
		free(command->words[i]);
	free(command->words);
	*command = (struct script_command){0};
}

void script_free(struct script *script)
{
	for (size_t i = 0; i < script->count; i++)
		command_free(&script->commands[i]);
	free(script->commands);
	*script = (struct script){0};
}

static void add_word(struct script_command *command, const char *text, size_t length)
{
	stint_grow(&command->words, &command->capacity, command->count + 2, sizeof(char *));
	command->words[command->count++] = stint_strndup(text, length);
	command->words[command->count] = NULL;
}

/* The end of the word that begins at `at`; NULL: a quote is not closed. */
static const char *word_end(const char *at)
{
	while (*at && !strchr(" \t\n;&|<>()", *at)) {
		if (*at == '\\' && at[1]) {
			at += 2;
		} else if (*at == '\'') {
			at = strchr(at + 1, '\'');
			if (!at)
				return NULL;
			at++;
		} else if (*at == '"') {
			for (at++; *at && *at != '"'; at++) {
				if (*at == '\\' && at[1])
					at++;
			}
			if (!*at)
				return NULL;
			at++;
		} else {
			at++;
		}
	}
	return at;
}

struct redirection {
	const char *text;
	bool error; /* whose sink it sets */
	enum script_sink sink;
};
static const struct redirection redirections[] = {
	{">&2", false, SCRIPT_ERROR},
	{"1>&2", false, SCRIPT_ERROR},
	{"2>&1", true, SCRIPT_OUT},
	{">/dev/null", false, SCRIPT_NOWHERE},
	{"> /dev/null", false, SCRIPT_NOWHERE},
	{"1>/dev/null", false, SCRIPT_NOWHERE},
	{"2>/dev/null", true, SCRIPT_NOWHERE},
	{"2> /dev/null", true, SCRIPT_NOWHERE},
};

static size_t read_redirection(const char *at, struct script_command *command)
{
	for (size_t i = 0; i < STINT_COUNT(redirections); i++) {
		size_t length = strlen(redirections[i].text);
		if (strncmp(at, redirections[i].text, length) != 0 || (at[length] && !strchr(" \t\n;&|", at[length])))
			continue;
		if (redirections[i].error) /* 2>&1 goes where standard output goes by then */
			command->error = redirections[i].sink == SCRIPT_OUT ? command->out : redirections[i].sink;
		else
			command->out = redirections[i].sink == SCRIPT_ERROR ? command->error : redirections[i].sink;
		return length;
	}
	return 0;
}

static void end_command(struct script *script, struct script_command *command)
{
	if (command->count > 0) {
		stint_grow(&script->commands, &script->capacity, script->count + 1, sizeof(*command));
		script->commands[script->count++] = *command;
	} else {
		command_free(command);
	}
	*command = (struct script_command){.out = SCRIPT_OUT, .error = SCRIPT_ERROR};
}

bool script_parse(const char *text, struct script *script, char **message)
{
	struct script_command command = {.out = SCRIPT_OUT, .error = SCRIPT_ERROR};
	bool expects = false; /* a command must follow && or || */
	const char *at = text;
	while (*at) {
		size_t length = 0;
		if (*at == ' ' || *at == '\t') {
			at++;
		} else if (*at == '#') {
			at = strchrnul(at, '\n');
		} else if (strncmp(at, "&&", 2) == 0 || strncmp(at, "||", 2) == 0) {
			if (command.count == 0)
				goto unexpected;
			end_command(script, &command);
			command.link = *at == '&' ? SCRIPT_AND : SCRIPT_OR;
			expects = true;
			at += 2;
		} else if (*at == '\n' && expects && command.count == 0) {
			at++;
		} else if (*at == ';' || *at == '\n') {
			if (*at == ';' && command.count == 0)
				goto unexpected;
			end_command(script, &command);
			at++;
		} else if ((length = read_redirection(at, &command)) > 0) {
			at += length;
		} else if (strchr("&|<>()`", *at)) {
			goto unexpected;
		} else {
			const char *end = word_end(at);
			if (!end) {
				*message = stint_strdup("syntax error: unterminated quoted string");
				goto failed;
			}
			add_word(&command, at, (size_t)(end - at));
			expects = false;
			at = end;
		}
	}
	if (!expects) {
		end_command(script, &command);
		return true;
	}
unexpected:
	*message = *at ? stint_format("syntax error: '%c' is not known to a virtual container", *at)
		       : stint_strdup("syntax error: unexpected end of file");
failed:
	command_free(&command);
	script_free(script);
	return false;
}

/* ---- expansion ------------------------------------------------------------------------------------------------------------- */

/* The variable at a '$'; returns where the text goes on. */
static const char *expand_variable(const char *at, const struct stint_json *env, int status, struct stint_buf *out)
{
	const char *start = at + 1;
	if (*start == '?') {
		stint_buf_printf(out, "%d", status);
		return start + 1;
	}
	bool braces = *start == '{';
	start += braces;
	size_t length = 0;
	while (isalnum((unsigned char)start[length]) || start[length] == '_')
		length++;
	if (length == 0 || (braces && start[length] != '}')) {
		stint_buf_putc(out, '$');
		return at + 1;
	}
	stint_autofree char *name = stint_strndup(start, length);
	stint_buf_puts(out, stint_json_string_or(stint_json_get(env, name), ""));
	return start + length + braces;
}

char *script_expand(const char *word, const struct stint_json *env, int status)
{
	stint_auto_buf out = {0};
	bool quoted = false; /* within "..." */
	for (const char *at = word; *at;) {
		if (*at == '"') {
			quoted = !quoted;
			at++;
		} else if (*at == '\'' && !quoted) {
			const char *end = strchrnul(at + 1, '\'');
			stint_buf_add(&out, at + 1, (size_t)(end - at - 1));
			at = *end ? end + 1 : end;
		} else if (*at == '\\' && at[1] && (!quoted || strchr("$`\"\\\n", at[1]))) {
			stint_buf_putc(&out, at[1]);
			at += 2;
		} else if (*at == '$') {
			at = expand_variable(at, env, status, &out);
		} else {
			stint_buf_putc(&out, *at++);
		}
	}
	return stint_buf_steal(&out);
}
