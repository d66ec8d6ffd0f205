/* Functions that overflow, hide errors or depend on the locale do not compile. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* With _FORTIFY_SOURCE they are macros for clang, and poisoning a macro is a warning. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets atoi atol atof asctime ctime
#pragma GCC poison localtime gmtime system popen tmpnam mktemp
