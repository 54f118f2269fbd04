/** Before anything is drawn: whether the address holds more than the opening question, which is then not shown first. */

document.documentElement.classList.toggle("begun", location.hash.length > 1 || location.search.startsWith("?q="));
