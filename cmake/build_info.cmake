# cmake -D SOURCE=… -D OUTPUT=… -D VERSION=… -D COMPILER=… -D FLAGS=… -P build_info.cmake
# Runs at every build; the header changes, and its one includer is compiled again, only when the commit does.
find_program(git git)
set(commit unknown)
if(git AND EXISTS ${SOURCE}/.git)
  execute_process(COMMAND ${git} -C ${SOURCE} describe --always --abbrev=40 --dirty --exclude=*
                  OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(commit ${described})
  endif()
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/build_info.h.in ${OUTPUT} @ONLY)
