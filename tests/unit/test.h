/*
 * What every unit test includes: cmocka with what it needs, and a check that shows the error when something that should work fails.
 */
#ifndef STINT_TEST_H
#define STINT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stint/base.h>

/* The call must succeed; when it does not, the test fails with the error's own sentence. */
#define assert_works(call)                                                                  \
	do {                                                                                \
		struct stint_error *err = NULL;                                             \
		if (!(call))                                                                \
			fail_msg("%s: %s", #call, err ? err->message : "no error was set"); \
		assert_null(err);                                                           \
	} while (0)

/* The call must fail with that code, and its sentence must contain the words. */
#define assert_fails(call, wanted_code, words)                                                                                             \
	do {                                                                                                                               \
		struct stint_error *err = NULL;                                                                                            \
		assert_false(call);                                                                                                        \
		assert_non_null(err);                                                                                                      \
		if (err->code != (wanted_code) || !strstr(err->message, words))                                                            \
			fail_msg(                                                                                                          \
				"code %d, \"%s\" where %d, \"%s\" was expected", (int)err->code, err->message, (int)(wanted_code), words); \
		stint_error_free(err);                                                                                                     \
	} while (0)

#endif
