# Film reviews, written by a grammar (R/data-reviews-grammar.R).

# How often things happen. Tuned so that words alone tell the sentiment of some 70 % of the reviews.
review_habits <- list(
  opinions = c(0.5, 0.35, 0.15), # one, two or three of the writer's own
  change = 0.38,  # an earlier opinion is the opposite of the verdict
  negated = 0.2,  # an opinion is put with a negation
  before = 0.25, after = 0.25, # an opinion that does not count, before or after the verdict
  opening = 0.6, between = 0.25, closing = 0.4 # neutral sentences
)

#' Simulated movie reviews for sentiment classification
#'
#' A stand-in for [dataset_imdb()] that needs neither files nor network: short reviews of films, written by a grammar,
#' in which the *order of the words* decides whether they are positive.
#'
#' A review holds one to five opinions and some neutral sentences. The verdict is the writer's own last opinion, and it
#' can be read off from left to right: *not, never, hardly, nothing, far from, anything but* turn round the opinion
#' after them, and an opinion after *although, despite, in spite of, expected, hoped, promised, said, call, could have
#' been, supposed* does not count. "The plot was dull, but I did love it" is positive, "I loved the music, but it was
#' anything but a gem" would be negative.
#'
#' A model of word counts ("bag of words") gets some 70 % of the test reviews right, since every word appears in reviews
#' of both kinds; a recurrent network can get nearly all.
#'
#' @inheritParams dataset_imdb
#' @param n Number of training reviews.
#' @param test Number of test reviews, may be 0.
#' @param seed a whole number for the random choices, which leaves R's generator as it was; `NULL` to follow
#'   `set.seed()`.
#' @param encode `FALSE` for texts instead of numbers.
#' @param num_words only the numbers below are kept; `NULL` for all.
#' @return `dataset_reviews()`: the same structure as that of [dataset_imdb()],
#'   `list(train = list(x, y), test = list(x, y))`. `x` is a list of integer vectors, or with `encode = FALSE` a
#'   character vector; `y` an integer vector of 0 (negative) and 1 (positive). Both are equally frequent, up to
#'   rounding, unless `maxlen` drops reviews. Reviews have 8 to 40 words, and no two are the same.
#'
#'   `dataset_reviews_word_index()`: a named list of each word's rank by frequency. The number of a word is its rank
#'   plus `index_from`.
#' @examples
#' reviews <- dataset_reviews(n = 100, encode = FALSE)
#' reviews$train$x[1:3]
#' reviews$train$y[1:3]
#' c(c(x_train, y_train), c(x_test, y_test)) %<-% dataset_reviews(n = 100)
#' x_train[[1]]
#' @export
dataset_reviews <- function(n = 5000, test = n %/% 5, seed = 113L, encode = TRUE, num_words = NULL, maxlen = NULL,
  start_char = 1L,
                            oov_char = 2L, index_from = 3L) {
  n <- check_count(n)
  test <- check_count(test, min = 0)
  check_flag(encode)
  options <- encoding_options(num_words, 0, maxlen, start_char, oov_char, index_from)
  all <- with_seed(seed, write_reviews(n + test)[c(sample.int(n), n + sample.int(test)), ])
  parts <- list(train = all[seq_len(n), ], test = all[n + seq_len(test), ])
  if (!encode) return(lapply(parts, function(part) list(x = part$text, y = part$y)))
  index <- unlist(dataset_reviews_word_index())
  # unlike Keras' files, these have no word to lose when there is no limit
  if (is.null(num_words)) options$num_words <- length(index) + options$index_from + 1L
  ranks <- lapply(parts, function(part) {
    words <- split_words(part$text, list(filters = text_filters, lower = TRUE, split = " "))
    list(x = lapply(words, function(w) unname(index[w])), y = part$y)
  })
  encode_reviews(ranks, options)
}

#' @rdname dataset_reviews
#' @export
dataset_reviews_word_index <- function() {
  if (is.null(session$review_index)) {
    # the frequencies in a fixed sample, and then whatever else the grammar has
    tokenizer <- text_tokenizer()
    fit_text_tokenizer(tokenizer, with_seed(1, write_reviews(2000))$text)
    grammar <- gsub("[{<][a-z]*[>}]", " ", unlist(c(review_opinions, review_words, review_sentences)))
    words <- split_words(paste(grammar, collapse = " "), list(filters = text_filters, lower = TRUE, split = " "))[[1]]
    words <- unique(c(names(tokenizer$word_index), sort(words, method = "radix"), "an"))
    session$review_index <- stats::setNames(as.list(seq_along(words)), words)
  }
  session$review_index
}

#' A data frame of n different reviews: text, y. The first rows, however many, are half positive and half negative.
#' @noRd
write_reviews <- function(n) {
  wanted <- c(n - n %/% 2, n %/% 2)
  reviews <- data.frame(text = character(), y = integer())
  repeat {
    missing <- pmax(wanted - tabulate(reviews$y + 1, 2), 0)
    if (all(missing == 0)) break
    # some are of the wrong length
    y <- rep(0:1, ceiling(missing * 1.2))
    reviews <- rbind(reviews, data.frame(text = review_texts(y), y = y))
    words <- lengths(strsplit(reviews$text, " ", fixed = TRUE))
    reviews <- reviews[words >= 8 & words <= 40 & !duplicated(reviews$text), ]
  }
  reviews[order(stats::ave(reviews$y, reviews$y, FUN = seq_along), reviews$y)[seq_len(n)], ]
}

#' A text for each label, of any length.
#' @noRd
review_texts <- function(y, habits = review_habits) {
  n <- length(y)
  often <- function(p) stats::runif(n) < p
  neutral <- function(p, from, to) ifelse(often(p), paste0(from, pick_sentence("neutral", n), to), "")

  good <- y == 1
  text <- paste0(
    ifelse(often(habits$before), discounted("before", n, habits), ""), opinion(good, habits),
    ifelse(often(habits$after), discounted("after", n, habits), "")
  )
  # earlier opinions are put in front
  own <- sample.int(length(habits$opinions), n, replace = TRUE, prob = habits$opinions)
  for (i in seq_along(habits$opinions)[-1]) {
    earlier <- xor(y == 1, often(habits$change))
    join <- ifelse(earlier == good, pick_sentence("same", n), pick_sentence("other", n))
    aside <- neutral(habits$between, ". ", "")
    join <- ifelse(nzchar(aside), sub("^, ", ". ", join), join)
    longer <- own >= i
    text <- ifelse(longer, paste0(opinion(earlier, habits), aside, join, text), text)
    good <- ifelse(longer, earlier, good)
  }
  finish_text(fill(paste0(neutral(habits$opening, "", ". "), text, neutral(habits$closing, ". ", ""), ".")))
}

#' Sentences with the opinion `good`, with or without a negation.
#' @noRd
opinion <- function(good, habits) {
  negated <- stats::runif(length(good)) < habits$negated
  polarize(ifelse(negated, pick_sentence("negated", length(good)), pick_sentence("plain", length(good))),
    xor(good, negated))
}

#' Parts of sentences with an opinion that does not count, of any kind.
#' @noRd
discounted <- function(place, n, habits) {
  good <- stats::runif(n) < 0.5
  sentence <- polarize(pick_sentence(place, n), good)
  # a whole sentence within, or nothing
  at <- regexpr("{opinion}", sentence, fixed = TRUE)
  inner <- opinion(good, habits)
  ifelse(at > 0, paste0(substr(sentence, 1, at - 1), inner, substring(sentence, at + nchar("{opinion}"))), sentence)
}

# ---- filling in ----

pick_sentence <- function(name, n) sample(entries(review_sentences[[name]]), n, replace = TRUE)

entries <- function(text) sub("^\\s*\n\\s*", "", strsplit(text, "|", fixed = TRUE)[[1]])

# Places for good opinions are written [name], for bad ones <name>.
polarize <- function(text, good) ifelse(good, chartr("<>", "[]", text), text)

#' Replace all places in all texts.
#' @noRd
fill <- function(text) {
  pieces <- strsplit(text, "(?<=.)(?=[{<[])|(?<=[]>}])", perl = TRUE)
  all <- unlist(pieces)
  replace <- function(name, words) {
    places <- which(all == name)
    all[places] <<- sample(words, length(places), replace = TRUE)
  }
  for (name in names(review_words)) replace(paste0("{", name, "}"), entries(review_words[[name]]))
  for (name in names(review_opinions)) {
    words <- lapply(review_opinions[[name]], function(text) strsplit(text, "\\s+")[[1]])
    replace(paste0("[", name, "]"), words$good)
    replace(paste0("<", name, ">"), words$bad)
  }
  text <- factor(rep.int(seq_along(pieces), lengths(pieces)), seq_along(pieces))
  unname(vapply(split(all, text), paste, "", collapse = ""))
}

#' Single blanks, "an" where it belongs, capital letters.
#' @noRd
finish_text <- function(text) {
  text <- gsub(" +", " ", text)
  text <- gsub("\\ba ([aeiou])", "an \\1", text)
  text <- gsub("(^|[.] )([a-z])", "\\1\\U\\2", text, perl = TRUE)
  gsub("\\bi\\b", "I", text)
}
