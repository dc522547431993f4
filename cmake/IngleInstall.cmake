# What `make install` adds to the program: the man page and the completions that it writes itself. Checked by
# tests/cli/test_install.py.
if(NOT TARGET ingle)
  return()
endif()
install(CODE "set(ingle \"${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/ingle\")")
install(CODE [[
  function(install_output path)
    set(file "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/share/${path}")
    cmake_path(GET file PARENT_PATH folder)
    file(MAKE_DIRECTORY "${folder}")
    message(STATUS "Installing: ${file}")
    execute_process(COMMAND ${ingle} ${ARGN} OUTPUT_FILE "${file}" COMMAND_ERROR_IS_FATAL ANY)
  endfunction()
  install_output(man/man1/ingle.1 man)
  install_output(bash-completion/completions/ingle completion bash)
  install_output(zsh/site-functions/_ingle completion zsh)
  install_output(fish/vendor_completions.d/ingle.fish completion fish)
]])
