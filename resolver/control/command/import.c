/* `sluice import DIALECT FILE...` runs the program sluice-import with the same words. */
#include "resolver/control/command/program.h"

int command_import(const struct command_line *line)
{
	char *words[PROGRAM_WORDS_MAX + 2] = {NULL};
	int count = 1;

	if (line->word_count > PROGRAM_WORDS_MAX)
		return command_misuse(line, "there are more than %d words", PROGRAM_WORDS_MAX);
	for (int i = 0; i < line->word_count; i++)
		if (line->words + i != line->arguments - 1) /* "import" */
			words[count++] = line->words[i];
	return program_become(line, "sluice-import", words);
}
