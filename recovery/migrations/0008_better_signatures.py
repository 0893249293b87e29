"""The signatures that the portal brings, after what real logs have shown. One that somebody has edited stays as it is."""

from importlib import import_module

from django.db import migrations

W, D, L = "words", "diagnostics", "log"
FIRST = {row[0]: row for row in import_module("recovery.migrations.0006_failure_signatures").SIGNATURES}
# "exception" leaves out what spark-submit says of every application that failed: "Application application_… finished …"
# as there: (short name, order, certainty, where it looks, pattern, change, cause fr, remedy fr, cause en, remedy en)
CHANGED = [
    (
        "blacklisted-conf",
        10,
        "said",
        (W,),
        r"Blacklisted configuration values in session config: (?P<key>[\w.\-]+(?:, ?[\w.\-]+)*)",
        "conf - {key}",
        "Livy interdit les réglages de Spark que la ligne cite.",
        "Relancez sans ces réglages ; s’ils viennent du profil, demandez à un opérateur de les y retirer.",
        "Livy does not let the Spark settings named in the line be set.",
        "Resubmit without these settings; where they come from the profile, ask an operator to take them out there.",
    ),
    (
        "queue-full",
        21,
        "probable",
        (W, D, L),
        r"already has \d+ applications, cannot accept|is STOPPED\. Cannot accept submission|AM resource limit exceeded",
        "",
        "La file YARN est pleine, ou elle n’accepte aucun job en ce moment.",
        "Relancez plus tard tel quel. Si cela revient, demandez à un opérateur quelle file utiliser.",
        "The YARN queue is full, or takes no job at the moment.",
        "Resubmit as it was a little later. If it comes again, ask an operator which queue to use.",
    ),
    (
        "memory-above-maximum",
        22,
        "probable",
        (D, L),
        r"Required executor memory .{1,200} above the max threshold",
        "executorMemory x0.5",
        "La mémoire demandée pour un exécuteur dépasse ce que le cluster permet pour un conteneur.",
        "Relancez avec moins de mémoire par exécuteur.",
        "More memory was asked for an executor than the cluster allows to one container.",
        "Resubmit with less memory for each executor.",
    ),
    (
        "jvm-size",
        23,
        "probable",
        (D, L),
        r"Could not create the Java Virtual Machine|Invalid (?:maximum|initial) heap size|"
        r"Too small (?:maximum|initial) heap|Initial heap size set to a larger value",
        "",
        "Une taille de mémoire du profil n’est pas acceptée par Java.",
        "Demandez à un opérateur de corriger driverMemory dans le profil (par exemple 4g).",
        "Java does not take one of the profile’s sizes of memory.",
        "Ask an operator to correct driverMemory in the profile (4g, for example).",
    ),
    (
        "access-denied",
        32,
        "probable",
        (W, D, L),
        r"Permission denied(?: by sticky bit)?: user|AccessControlException:? (?:Permission|Access|/)|"
        r"AccessControlException$|AccessDeniedException",
        "",
        "L’utilisateur sous lequel le job tourne n’a pas le droit de lire ou d’écrire un fichier.",
        "La ligne citée nomme l’utilisateur et le chemin : demandez ce droit à qui possède les données, puis relancez.",
        "The user under which the job runs may not read or write a file.",
        "The line below names the user and the path: ask the owner of the data for the right, then resubmit.",
    ),
    (
        "file-missing",
        42,
        "probable",
        (W, D, L),
        r"FileNotFoundException|File does not exist: ?\S|NoSuchFileException",
        "",
        "Un fichier n’existe pas : le jar, un fichier du profil, ou des données.",
        "La ligne citée nomme le chemin : corrigez-le (ou déposez le fichier), puis relancez.",
        "A file does not exist: the jar, a file of the profile, or data.",
        "The line below names the path: correct it (or put the file there), then resubmit.",
    ),
    (
        "class-missing",
        50,
        "probable",
        (D, L),
        r"ClassNotFoundException|Failed to load class|NoClassDefFoundError|No main class set in JAR|"
        r"Could not find or load main class \S",
        "className ?",
        "La classe à lancer, ou une classe dont elle a besoin, n’est pas dans le jar.",
        "Vérifiez que c’est le bon jar, et le nom de la classe (className) ; s’il manque une bibliothèque, un opérateur "
        "l’ajoute au profil.",
        "The class to run, or a class that it needs, is not in the jar.",
        "Check that it is the right jar, and the name of the class (className); where a library is missing, an "
        "operator adds it to the profile.",
    ),
    (
        "driver-memory",
        60,
        "probable",
        (D, L),
        r"(?:class threw exception|in thread \"[^\"]{1,80}\"):? \S{0,60}OutOfMemoryError|"
        r"executor driver\): \S{0,60}OutOfMemoryError|AM Container .{0,120}exit ?code: ?-10[34]\b|"
        r"^(?:Failing this attempt\. ?)?(?:Diagnostics: ?)?(?:\[[^\]]{1,40}\] ?)?Container \[pid=[^\]]{1,200}\] is running .{0,40}beyond",
        "driverMemory x2",
        "Le pilote du job (driver) a manqué de mémoire.",
        "Relancez avec le double de mémoire pour le pilote.",
        "The job’s driver ran out of memory.",
        "Resubmit with twice the memory for the driver.",
    ),
    (
        "executor-memory",
        61,
        "probable",
        (D, L),
        r"executor \d{1,6}\): \S{0,60}OutOfMemoryError|killed by YARN for exceeding|"
        r"Container (?:marked as failed|from a bad node): .{1,150}exit status: ?-10[34]\b|"
        r"Container (?:marked as failed|from a bad node): .{1,300} is running .{0,9}beyond",
        "executorMemory x2",
        "Un exécuteur a manqué de mémoire.",
        "Relancez avec le double de mémoire par exécuteur.",
        "An executor ran out of memory.",
        "Resubmit with twice the memory for each executor.",
    ),
    (
        "arguments-wrong",
        81,
        "possible",
        (D, L),
        r"unknown option|Unrecognized option|UnrecognizedOptionException|Missing option:? ?-|Missing required option|"
        r"MissingOptionException|MissingArgumentException|unrecognized arguments|"
        r"following (?:arguments|options?) (?:are|is) required|argument \S{1,80} is required|"
        r"DateTimeParseException|Unparseable date|NumberFormatException|IndexOutOfBoundsException|^usage: \S",
        "",
        "Le jar n’a pas compris ses arguments.",
        "Comparez les arguments « tels que le jar les reçoit » à ce que le jar attend, corrigez-les et relancez.",
        "The jar did not understand its arguments.",
        "Compare the arguments “as the jar receives them” with what the jar expects, correct them and resubmit.",
    ),
    (
        "exception",
        99,
        "possible",
        (D, L),
        r"User class threw exception: ?\S|"
        r"Exception in thread \"main\" [\w.$]{1,200}(?:$|:(?:$| [^A]| A[^p]| Ap[^p]| App[^l]))",
        "",
        "Le programme lui-même s’est arrêté sur une erreur, que le portail ne connaît pas.",
        "Montrez la ligne citée à l’auteur du jar. Relancez tel quel s’il dit que c’était passager.",
        "The program itself stopped on an error, which the portal does not know.",
        "Show the line below to whoever made the jar. Resubmit as it was if they say that it was passing.",
    ),
]  # fmt: skip
ADDED = [
    (
        "queue-forbidden",
        20,
        "probable",
        (W, D, L),
        r"does not have permission to submit .{1,150}to queue|cannot submit applications? to queue",
        "queue ?",
        "L’utilisateur sous lequel le job tourne n’a pas le droit d’utiliser cette file YARN.",
        "Relancez avec une autre file, ou demandez ce droit à l’administrateur du cluster.",
        "The user under which the job runs may not use this YARN queue.",
        "Resubmit with another queue, or ask the administrator of the cluster for the right.",
    ),
    (
        "driver-memory-above-maximum",
        22,
        "probable",
        (D, L),
        r"Required AM memory .{1,200} above the max threshold",
        "driverMemory x0.5",
        "La mémoire demandée pour le pilote dépasse ce que le cluster permet pour un conteneur.",
        "Relancez avec moins de mémoire pour le pilote.",
        "More memory was asked for the driver than the cluster allows to one container.",
        "Resubmit with less memory for the driver.",
    ),
    (
        "container-above-maximum",
        22,
        "probable",
        (D, L),
        r"Invalid resource request.{1,200}(?:maximum allowed|max configured)",
        "",
        "Le job demande plus de mémoire ou de cœurs que le cluster n’en permet pour un conteneur.",
        "La ligne citée dit lesquels : relancez en demandant moins.",
        "The job asks for more memory or cores than the cluster allows to one container.",
        "The line below says which: resubmit and ask for less.",
    ),
    (
        "quota",
        34,
        "probable",
        (D, L),
        r"QuotaExceededException|The (?:DiskSpace|NameSpace) quota .{1,300}is exceeded",
        "",
        "Le dossier HDFS où le job écrit a atteint son quota.",
        "La ligne citée nomme le dossier : faites-y de la place, ou demandez un quota plus grand à l’administrateur du "
        "cluster ; puis relancez tel quel.",
        "The HDFS directory that the job writes to has reached its quota.",
        "The line below names the directory: make room there, or ask the administrator of the cluster for a larger "
        "quota; then resubmit as it was.",
    ),
    (
        "disk-full",
        35,
        "probable",
        (D, L),
        r"No space left on device",
        "",
        "Le disque d’une machine du cluster est plein.",
        "Prévenez un opérateur, puis relancez tel quel plus tard.",
        "The disk of one of the cluster’s machines is full.",
        "Tell an operator, then resubmit as it was later on.",
    ),
    (
        "jar-missing",
        42,
        "possible",
        (D, L),
        r"Local jar \S{1,300} does not exist",
        "",
        "Le jar, ou un des jars du profil, n’est pas à l’endroit indiqué.",
        "La ligne citée nomme le chemin : corrigez-le (ou déposez le fichier), puis relancez.",
        "The jar, or one of the profile’s jars, is not where it was said to be.",
        "The line below names the path: correct it (or put the file there), then resubmit.",
    ),
    (
        "memory",
        61,
        "probable",
        (D, L),
        r"\bOutOfMemoryError|GC overhead limit exceeded",
        "driverMemory x2\nexecutorMemory x2",
        "Le job a manqué de mémoire ; la ligne ne dit pas si c’est le pilote ou un exécuteur.",
        "Relancez avec le double de mémoire pour les deux.",
        "The job ran out of memory; the line does not say whether it was the driver or an executor.",
        "Resubmit with twice the memory for both.",
    ),
    (
        "driver-killed",
        61,
        "possible",
        (D, L),
        r"AM Container .{0,120}exit ?code: ?(?:137|143)\b",
        "driverMemory x2",
        "Le pilote du job a été arrêté de l’extérieur : il peut avoir manqué de mémoire, ou avoir dû céder sa place.",
        "Relancez tel quel. Si cela revient, relancez avec le double de mémoire pour le pilote.",
        "The job’s driver was stopped from outside: it may have run out of memory, or had to give way to others.",
        "Resubmit as it was. If it comes again, resubmit with twice the memory for the driver.",
    ),
    (
        "executor-killed",
        61,
        "possible",
        (D, L),
        r"exit status: ?(?:137|143)\b",
        "executorMemory x2",
        "Un exécuteur a été arrêté de l’extérieur : il peut avoir manqué de mémoire, ou avoir dû céder sa place.",
        "Relancez tel quel. Si cela revient, relancez avec le double de mémoire par exécuteur.",
        "An executor was stopped from outside: it may have run out of memory, or had to give way to others.",
        "Resubmit as it was. If it comes again, resubmit with twice the memory for each executor.",
    ),
    (
        "container-killed",
        64,
        "possible",
        (D, L),
        r"exit(?:ed)?(?: with a non-zero exit)?[ _]?code:? ?(?:is )?(?:137|143)\b",
        "",
        "Un processus du job a été arrêté de l’extérieur : il peut avoir manqué de mémoire, ou avoir dû céder sa place.",
        "Relancez tel quel. Si cela revient, montrez le journal du pilote à un opérateur : il dit lequel c’était.",
        "A process of the job was stopped from outside: it may have run out of memory, or had to give way to others.",
        "Resubmit as it was. If it comes again, show an operator the driver’s log: it says which one it was.",
    ),
    (
        "no-final-status",
        91,
        "possible",
        (D, L),
        r"Shutdown hook called before final status was reported",
        "",
        "Le job s’est terminé sans dire comment : il s’est arrêté lui-même (System.exit), ou il a été arrêté de "
        "l’extérieur.",
        "Lisez le journal du pilote, ou montrez-le à l’auteur du jar, avant de relancer.",
        "The job ended without saying how: it stopped itself (System.exit), or it was stopped from outside.",
        "Read the driver’s log, or show it to whoever made the jar, before you resubmit.",
    ),
]  # fmt: skip


def fields(row):
    """Of a row above, without its name."""
    code, order, certainty, places, pattern, change, cause_fr, remedy_fr, cause_en, remedy_en = row
    return {
        "order": order, "certainty": certainty, "pattern": pattern, "change": change,
        "in_words": W in places, "in_diagnostics": D in places, "in_log": L in places,
        "cause_fr": cause_fr, "remedy_fr": remedy_fr, "cause_en": cause_en, "remedy_en": remedy_en,
    }  # fmt: skip


def better(apps, schema_editor):
    """Only what is as the portal brought it; whether it is switched off, and a name that is taken, are respected."""
    signature = apps.get_model("recovery", "FailureSignature")
    for row in CHANGED:
        signature.objects.filter(code=row[0], **fields(FIRST[row[0]])).update(**fields(row))
    for row in ADDED:
        signature.objects.get_or_create(code=row[0], defaults=fields(row))


def as_before(apps, schema_editor):
    """What nobody has edited since is as it was, or gone."""
    signature = apps.get_model("recovery", "FailureSignature")
    for row in CHANGED:
        signature.objects.filter(code=row[0], **fields(row)).update(**fields(FIRST[row[0]]))
    for row in ADDED:
        signature.objects.filter(code=row[0], **fields(row)).delete()


class Migration(migrations.Migration):
    dependencies = [("recovery", "0007_notices_by_mail")]

    operations = [migrations.RunPython(better, as_before)]
