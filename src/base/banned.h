/* Functions that overflow, hide errors or depend on the locale do not compile. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets atoi atol atof asctime ctime
#pragma GCC poison localtime gmtime system popen tmpnam mktemp
