/*
 * main: the program `stint`. All of it is cli_main, so that tests can run it with streams of their own.
 */
#include "cli/cli.h"

int main(int argc, char **argv)
{
	return stint_standard_streams_keep() ? cli_main(argc, argv, stdout, stderr) : STINT_FAILED;
}
