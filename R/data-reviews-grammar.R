# The grammar of dataset_reviews(): all words and sentences are our own.
#
# {name} is replaced by one of the words of that name, and <name> by one of the opinions, good or bad ones. Entries end
# with a bar.

# Words that carry an opinion, positive and negative.
review_opinions <- list(
  adjective = list(
    good = "wonderful brilliant excellent superb delightful charming funny gripping moving clever beautiful convincing
      fresh exciting impressive touching memorable witty thrilling splendid",
    bad = "terrible dull boring awful weak tedious clumsy predictable silly bland annoying confusing dreadful flat
      shallow lifeless tiresome ridiculous messy poor"
  ),
  noun = list(good = "masterpiece triumph joy treat gem success",
    bad = "disaster mess bore failure disappointment flop"),
  loved = list(good = "loved enjoyed adored admired", bad = "hated regretted detested loathed"),
  love = list(good = "love enjoy adore admire", bad = "hate regret detest loathe"),
  mood = list(good = "happy cheerful inspired smiling", bad = "cold bored angry sleepy")
)

review_words <- list(
  part = "plot|acting|music|script|ending|dialogue|photography|first half|second half|cast|leading actor|leading lady|
    opening scene|final scene|direction|camera work|humour|pace|side story",
  thing = "film|movie|picture|production|sequel|remake",
  degree = "very|really|truly|quite|simply|rather|",
  person = "brother|sister|wife|husband|mother|father|neighbour|best friend|cousin|daughter|son|uncle|aunt|boss|
    colleague",
  day = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
  weather = "rainy|sunny|cloudy|windy|snowy|foggy",
  place = "cinema|theatre|town hall|hotel|library|festival|museum|university",
  city = "Paris|London|Berlin|Rome|Chicago|Tokyo|Vienna|Madrid|Boston|Dublin",
  job = "doctor|teacher|lawyer|farmer|soldier|painter|nurse|detective|sailor|baker|pilot|singer",
  age = "young|old|retired|lonely|wealthy|famous",
  genre = "comedy|drama|thriller|western|musical|mystery|romance|adventure",
  number = "two|three|four|five|six|seven|ten",
  decade = "twenties|thirties|forties|fifties|sixties|seventies|eighties",
  source = "novel|play|book|true story|short story|newspaper article"
)

review_sentences <- list(
  # a negation turns round the opinion after it
  plain = "the {part} was {degree} <adjective>|the {part} was {degree} <adjective>|it was {degree} <adjective>|
    i found the {part} {degree} <adjective>|the {thing} was a <noun>|it was a <adjective> {thing}|i <loved> the {part}|
    i <loved> this {thing}|i did <love> it|it left me <mood>|there was something <adjective> about the {part}|
    the {part} seemed <adjective> to me",
  negated = "the {part} was not <adjective>|the {part} was never <adjective>|the {part} was hardly <adjective>|
    it was not really <adjective>|it was far from <adjective>|the {part} was anything but <adjective>|
    i did not find the {part} <adjective>|the {thing} was hardly a <noun>|it was not a <adjective> {thing}|
    i never <loved> the {part}|i did not <love> this {thing}|i did not <love> it|it did not leave me <mood>|
    there was nothing <adjective> about the {part}|the {part} never seemed <adjective> to me",
  # before or after the writer's own opinion; the opinion in them does not count
  before = "although {opinion}, |even though {opinion}, |although {opinion}, |despite the <adjective> {part} |
    in spite of the <adjective> {part} |i had expected a <adjective> {thing}, but |
    i had hoped for a <adjective> {thing}, but |
    the trailer promised a <adjective> {thing}, but |my {person} said it was <adjective>, but |
    some people call it a <noun>, but |it could have been <adjective>, but |it was supposed to be a <noun>, but ",
  after = ", although {opinion}|
    , even though {opinion}|, although {opinion}| despite the <adjective> {part}| in spite of the <adjective> {part}|
    , and i had expected a <adjective> {thing}|, and i had hoped for a <adjective> {thing}|
    , and the trailer promised a <adjective> {thing}|, and my {person} said it was <adjective>|
    , and some people call it a <noun>|, and it could have been <adjective>|, and it was supposed to be a <noun>",
  same = ", and |. also, |. besides, |. what is more, ",
  other = ", but |, yet |. still, |. however, |. in the end, ",
  neutral = "i saw it with my {person} on a {weather} {day}|we watched this {genre} at the {place} in {city}|
    it tells the story of a {age} {job} from {city}|the {thing} is based on a {source}|
    a {age} {job} moves to {city} and meets a {job}|it runs for about {number} hours|it was made in the {decade}|
    this is the story of {number} friends in {city}|my {person} gave me the disc for my birthday|
    it is a {genre} about a {job} and a {age} {job}|the {genre} is set in {city} in the {decade}|
    i watched it at home last {day}|there were only {number} people in the {place}|
    the director was once a {job} in {city}|
    my {person} and i went to the {place} after work"
)
